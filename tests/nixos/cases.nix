# What the module makes of configurations: the cases that came out otherwise, and what
# tests/check-nixos tries with the program.
{
  lib,
  scratch, # where the program and the files of the derivations would be
  group, # one that is known here
}:
let
  derivation = outPath: {
    type = "derivation";
    inherit outPath;
  };
  pkgs = {
    formats.json = _: {
      type = lib.types.attrsOf lib.types.anything;
      generate = name: _: derivation "${scratch}/${name}";
    };
    runCommand = _: _: derivation; # its path is its script
    coreutils = derivation "/coreutils";
    callPackage = _: _: derivation "${scratch}/package";
  };

  # What NixOS itself declares.
  nixos =
    let
      option = type: default: lib.mkOption { inherit type default; };
      sets = lib.types.attrsOf lib.types.anything;
    in
    {
      options = {
        assertions = option (lib.types.listOf lib.types.anything) [ ];
        warnings = option (lib.types.listOf lib.types.str) [ ];
        environment.etc = option sets { };
        environment.systemPackages = option (lib.types.listOf lib.types.anything) [ ];
        networking.firewall = option sets { };
        systemd.packages = option (lib.types.listOf lib.types.anything) [ ];
        systemd.services = option sets { };
        systemd.sockets = option sets { };
        users.groups = option sets { };
      };
    };

  evaluate =
    tollgate:
    lib.evalModules {
      modules = [
        nixos
        ../../nixos/module.nix
        { services.tollgate = tollgate; }
      ];
      specialArgs = { inherit pkgs; };
    };
  enabled = tollgate: (evaluate ({ enable = true; } // tollgate)).config;
  settings = tollgate: (enabled tollgate).services.tollgate.settings;
  service = tollgate: (enabled tollgate).systemd.services.tollgate;
  failed =
    tollgate: map (a: a.message) (lib.filter (a: !a.assertion) (enabled tollgate).assertions);
  # Refused by one assertion, whose text has these words.
  refuses =
    words: tollgate:
    let
      messages = failed tollgate;
    in
    {
      found =
        if lib.length messages == 1 && lib.hasInfix words (lib.head messages) then words else messages;
      expected = words;
    };
  evaluates =
    tollgate:
    let
      made = [
        (settings tollgate)
        (service tollgate)
      ];
    in
    (builtins.tryEval (builtins.deepSeq made true)).success;

  keys = {
    publicKeyFile = "/run/secrets/public";
    secretKeyFile = "/run/secrets/secret";
  };
  langfuse = { enable = true; } // keys;

  # What stood under services.grafana-alloy.langfuse.
  moved = langfuse // {
    endpoint = "https://cloud.langfuse.com/api/public/otel";
    batchTimeout = "10s";
    batchSize = 100;
    retryEnabled = true;
    queueSize = 1000;
    userId = "me";
    tags = [
      "production"
      "team-a"
    ];
  };

  full = {
    controlGroup = group;
    environmentFile = "/run/secrets/tollgate";
    openFirewall = true;
    settings = {
      listen = "0.0.0.0:4400";
      access.anonymous = "everyone";
      spool.max_bytes = "1GiB";
    };
    langfuse = moved;
    tempo = {
      enable = true;
      endpoint = "http://tempo.lan:4318";
      headers.X-Scope-OrgID = "team";
    };
    claudeCode.enable = true;
    codex.enable = true;
    codex.content = false;
    gemini.enable = true;
  };

  package = import ../../nixos/package.nix;
  built = package (
    lib.mapAttrs (name: _: name) (builtins.functionArgs package)
    // {
      stdenv.mkDerivation = derivation: derivation;
      lib = lib // {
        fileset.toSource = { fileset, ... }: fileset;
        fileset.unions = files: files;
      };
    }
  );
  flake = (import ../../flake.nix).outputs {
    self = { };
    nixpkgs = {
      inherit lib;
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (_: pkgs);
    };
  };

  descriptions =
    path: tree:
    lib.concatMap (
      name:
      let
        option = tree.${name};
      in
      if (option._type or "") != "option" then
        descriptions "${path}.${name}" option
      else
        lib.optional (option.visible or true && option.description or "" == "") "${path}.${name}"
    ) (lib.attrNames tree);

  cases = {
    "nothing is there when it is not enabled" = {
      found =
        let
          inherit (evaluate { }) config;
        in
        [
          (lib.filter (a: !a.assertion) config.assertions)
          config.environment.etc
          config.systemd.services
          config.users.groups
        ];
      expected = [
        [ ]
        { }
        { }
        { }
      ];
    };
    "every option is described" = {
      found = descriptions "services.tollgate" (evaluate { }).options.services.tollgate;
      expected = [ ];
    };

    "enabled alone it listens on loopback and sends nowhere" = {
      found = settings { };
      expected = {
        listen = "127.0.0.1:4318";
        control_socket = "/run/tollgate/control.sock";
        control_group = "tollgate-operators";
        identity = { };
      };
    };
    "what it needs of NixOS is there" = {
      found =
        let
          inherit (enabled { }) environment networking users systemd;
        in
        {
          etc = lib.attrNames environment.etc;
          packages = map toString (environment.systemPackages ++ systemd.packages);
          inherit networking;
          groups = lib.attrNames users.groups;
          inherit (systemd.sockets.tollgate) wantedBy listenStreams;
          service = { inherit (systemd.services.tollgate) wantedBy stopIfChanged; };
        };
      expected = {
        etc = [ "tollgate/tollgate.json" ];
        packages = [
          "${scratch}/package"
          "${scratch}/package"
        ];
        networking.firewall = { };
        groups = [ "tollgate-operators" ];
        wantedBy = [ "sockets.target" ];
        listenStreams = [
          ""
          "127.0.0.1:4318"
        ];
        service.wantedBy = [ "multi-user.target" ];
        service.stopIfChanged = false;
      };
    };
    # All else, the hardening above all, is the package's unit.
    "of the unit nothing is said twice" = {
      found = lib.attrNames (service full).serviceConfig;
      expected = [
        "EnvironmentFile"
        "ExecReload"
        "LoadCredential"
        "SupplementaryGroups"
      ];
    };
    "what is said otherwise than in the unit is in it" =
      let
        unit = builtins.readFile ../../systemd/tollgate.service.in;
        inherit (service full) serviceConfig;
        isTakenBack = name: lib.elem "" serviceConfig.${name};
        takenBack = lib.filter isTakenBack (lib.attrNames serviceConfig);
      in
      {
        found = lib.filter (start: !lib.hasInfix "\n${start}" unit) (
          map (name: "${name}=") takenBack
          ++ [
            "Environment=TOLLGATE_CONTROL_GROUP="
            "LoadCredential=langfuse-public-key\n"
            "LoadCredential=langfuse-secret-key\n"
            "RuntimeDirectory=tollgate\n"
          ]
        );
        expected = [ ];
      };
    "a configuration that asks for all gives no assertion" = {
      found = failed full;
      expected = [ ];
    };

    "settings win over options" = {
      found =
        let
          found = settings {
            inherit langfuse;
            settings.destinations.langfuse.endpoint = "http://langfuse.lan:3000";
            settings.log_level = "debug";
          };
        in
        [
          found.destinations.langfuse.endpoint
          found.log_level
        ];
      expected = [
        "http://langfuse.lan:3000"
        "debug"
      ];
    };
    "a path that is none is refused" = {
      found = evaluates { environmentFile = "relative"; };
      expected = false;
    };
    "an unknown option is refused" = {
      found = evaluates { langfuse.secretkeyfile = "/x"; };
      expected = false;
    };
    "the package can be another" = {
      found = map toString (enabled { package = derivation "/mine"; }).systemd.packages;
      expected = [ "/mine" ];
    };
    "a file of variables is added to the unit's" = {
      found = (service { environmentFile = "/run/secrets/e"; }).serviceConfig.EnvironmentFile;
      expected = [ "/run/secrets/e" ];
    };
    "the firewall is opened where it listens" = {
      found = (enabled full).networking.firewall;
      expected.allowedTCPPorts = [ 4400 ];
    };
    "an address of version 6 is one" = {
      found = failed { settings.listen = "[::1]:4318"; };
      expected = [ ];
    };
    "the control group is one for NixOS, the unit and the file" = {
      found =
        let
          wheel = enabled { controlGroup = "wheel"; };
          unit = wheel.systemd.services.tollgate;
        in
        [
          (lib.attrNames wheel.users.groups)
          unit.serviceConfig.SupplementaryGroups
          unit.environment.TOLLGATE_CONTROL_GROUP
          wheel.services.tollgate.settings.control_group
        ];
      expected = [
        [ "wheel" ]
        [
          ""
          "wheel"
        ]
        "wheel"
        "wheel"
      ];
    };

    "Langfuse's keys are credentials" = {
      found = [
        (service { inherit langfuse; }).serviceConfig.LoadCredential
        (settings { inherit langfuse; }).destinations.langfuse
      ];
      expected = [
        [
          "langfuse-public-key:/run/secrets/public"
          "langfuse-secret-key:/run/secrets/secret"
        ]
        {
          type = "langfuse";
          endpoint = "https://cloud.langfuse.com";
          public_key_file = "$CREDENTIALS_DIRECTORY/langfuse-public-key";
          secret_key_file = "$CREDENTIALS_DIRECTORY/langfuse-secret-key";
        }
      ];
    };
    "Langfuse's keys may be variables" = {
      found = [
        (failed {
          langfuse.enable = true;
          environmentFile = "/run/secrets/e";
        })
        (lib.attrNames
          (settings {
            langfuse.enable = true;
            environmentFile = "/run/secrets/e";
          }).destinations.langfuse
        )
      ];
      expected = [
        [ ]
        [
          "endpoint"
          "type"
        ]
      ];
    };
    "what services.grafana-alloy had goes on" = {
      found = {
        inherit (settings { langfuse = moved; }) destinations identity;
        failed = failed { langfuse = moved; };
      };
      expected = {
        destinations.langfuse = {
          type = "langfuse";
          endpoint = "https://cloud.langfuse.com/api/public/otel";
          public_key_file = "$CREDENTIALS_DIRECTORY/langfuse-public-key";
          secret_key_file = "$CREDENTIALS_DIRECTORY/langfuse-secret-key";
          batch_size = 100;
          batch_timeout_ms = 10000;
        };
        identity = {
          user_id = "me";
          tags = [
            "production"
            "team-a"
          ];
        };
        failed = [ ];
      };
    };
    "durations are those of the Collector" = {
      found =
        map
          (
            text:
            (settings { langfuse = langfuse // { batchTimeout = text; }; })
            .destinations.langfuse.batch_timeout_ms
          )
          [
            "500ms"
            "1m30s"
            "1h"
          ];
      expected = [
        500
        90000
        3600000
      ];
    };
    "a duration without a unit is refused" = {
      found = evaluates { langfuse = langfuse // { batchTimeout = "10"; }; };
      expected = false;
    };
    "its file of variables is ours" = {
      found =
        (evaluate {
          langfuse.environmentFile = "/run/secrets/e";
        }).config.services.tollgate.environmentFile;
      expected = "/run/secrets/e";
    };
    "its queue is told to have no effect" = {
      found = map (lib.hasInfix "spool.max_bytes") (enabled { langfuse = moved; }).warnings;
      expected = [ true ];
    };
    "Tempo gets its headers" = {
      found = (settings full).destinations.tempo;
      expected = {
        type = "otlp";
        endpoint = "http://tempo.lan:4318";
        headers.X-Scope-OrgID = "team";
      };
    };
    "a secret header is warned of" = {
      found =
        map (lib.hasInfix "TOLLGATE_TEMPO_HEADERS")
          (enabled {
            tempo = full.tempo // { headers.authorization = "Bearer x"; };
          }).warnings;
      expected = [ true ];
    };
    "each CLI has files of its own" = {
      found =
        map
          (
            cli:
            let
              inherit ((enabled { ${cli}.enable = true; }).environment) etc;
            in
            lib.filter (file: file != "tollgate/tollgate.json") (lib.attrNames etc)
          )
          [
            "claudeCode"
            "codex"
            "gemini"
          ];
      expected = [
        [ "claude-code/managed-settings.d/50-tollgate.json" ]
        [
          "codex/config.toml"
          "codex/hooks.json"
        ]
        [ "gemini-cli/system-defaults.json" ]
      ];
    };

    "systemd wants an address" = refuses "but systemd listens there" {
      settings.listen = "localhost:4318";
    };
    "beyond loopback there are keys" = refuses "nobody needs a key" {
      settings.listen = "0.0.0.0:4318";
    };
    "an open firewall leads somewhere" = refuses "settings.listen too" { openFirewall = true; };
    "one key file is half of a pair" = refuses "belong together" {
      langfuse = {
        enable = true;
        publicKeyFile = "/run/secrets/public";
      };
    };
    "Langfuse has keys" = refuses "needs the keys" { langfuse.enable = true; };
    "keys are not in the store" = refuses "is in the Nix store" {
      langfuse = langfuse // { secretKeyFile = "${builtins.storeDir}/x-secret"; };
    };
    "nor in the settings" = refuses "use secret_key_file" {
      settings.destinations.mine = {
        type = "langfuse";
        public_key = "pk-lf-0";
        secret_key = "sk-lf-0";
      };
    };
    "Tollgate does not give up" = refuses "Delete the line" {
      langfuse = langfuse // { retryEnabled = false; };
    };
    "Tempo is somewhere" = refuses "needs services.tollgate.tempo.endpoint" {
      tempo.enable = true;
    };
    "what has gone says where to" = refuses "settings.listen" { otlpPort = 4318; };
    "so does what has gone of Langfuse's" = refuses "publicKeyFile" {
      langfuse.credentialSource = "env";
    };

    "the package is made of what is there" = {
      found = map toString (lib.filter (file: !builtins.pathExists file) built.src);
      expected = [ ];
    };
    "the flake has all of it" = {
      found = {
        packages = lib.mapAttrs (_: system: toString system.default) flake.packages;
        overlay = map toString (lib.attrValues (flake.overlays.default pkgs { }));
        module = toString flake.nixosModules.default;
        shells = lib.attrNames flake.devShells;
      };
      expected = {
        packages.x86_64-linux = "${scratch}/package";
        packages.aarch64-linux = "${scratch}/package";
        overlay = [ "${scratch}/package" ];
        module = toString ../../nixos/module.nix;
        shells = [
          "aarch64-linux"
          "x86_64-linux"
        ];
      };
    };
  };
in
{
  failures = lib.filterAttrs (_: case: case.found != case.expected) cases;
  count = lib.length (lib.attrNames cases);
  inherit (built) version;
  settings = settings full;
  tools = lib.mapAttrs (_: file: toString file.source) (
    removeAttrs (enabled full).environment.etc [ "tollgate/tollgate.json" ]
  );
}
