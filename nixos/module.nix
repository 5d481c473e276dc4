# services.tollgate: the gateway, and what the coding CLIs of everybody on this machine are told.
#
# The units come with the package (systemd/ in its source), so that they are hardened here as
# anywhere; below stands what is this machine's own.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.tollgate;
  inherit (lib) mkOption types;
  json = pkgs.formats.json { };
  configFile = json.generate "tollgate.json" cfg.settings;

  optional =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  # Members of the JSON file: what is not said is left to Tollgate, and what settings say wins.
  members =
    values: lib.mapAttrs (_: lib.mkDefault) (lib.filterAttrs (_: v: v != null && v != [ ]) values);

  # "1m30s", as the OpenTelemetry Collector writes durations.
  milliseconds =
    text:
    let
      unit = {
        ms = 1;
        s = 1000;
        m = 60 * 1000;
        h = 60 * 60 * 1000;
      };
      add = sum: part: sum + lib.toInt (lib.head part) * unit.${lib.last part};
    in
    lib.foldl' add 0 (lib.filter lib.isList (builtins.split "([0-9]+)(ms|s|m|h)" text));

  keyFiles = lib.filterAttrs (_: file: file != null) {
    langfuse-public-key = cfg.langfuse.publicKeyFile;
    langfuse-secret-key = cfg.langfuse.secretKeyFile;
  };
  credential = name: if keyFiles ? ${name} then "$CREDENTIALS_DIRECTORY/${name}" else null;

  isInStore = file: lib.hasPrefix builtins.storeDir (toString file);
  isSecret = header: lib.toLower header == "authorization";

  address = builtins.match "([0-9.]+|\\[[0-9a-fA-F:.]+]):([0-9]+)" cfg.settings.listen;
  isLoopback = lib.hasPrefix "127." (lib.head address) || lib.head address == "[::1]";
  destinations = cfg.settings.destinations or { };
  access = cfg.settings.access or { };
  projects = lib.attrValues (cfg.settings.projects or { });
  hasKeys = access ? keys_file || lib.any (project: project ? gateway_keys_file) projects;

  # The coding CLIs: where settings for all users are, and which file of one person says the same.
  tools = {
    claudeCode = {
      name = "claude-code";
      files."claude-code/managed-settings.d/50-tollgate.json" = ".claude/settings.json";
    };
    codex = {
      name = "codex";
      files."codex/config.toml" = ".codex/config.toml";
      files."codex/hooks.json" = ".codex/hooks.json";
    };
    gemini = {
      name = "gemini";
      files."gemini-cli/system-defaults.json" = ".gemini/settings.json";
    };
  };

  toolOptions = title: where: {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether ${title} sends its telemetry to Tollgate, for every user of this machine: what
        `tollgate setup` writes for one person is written to ${where}
      '';
    };
    content = mkOption {
      type = types.bool;
      default = true;
      description = "Whether that includes prompts, answers, and what tools are given and return.";
    };
  };

  toolFiles =
    option: tool:
    let
      flags = lib.optionalString (!cfg.${option}.content) " --without-content";
      home = pkgs.runCommand "tollgate-setup-${tool.name}" { } ''
        mkdir $out
        export HOME=$out XDG_STATE_HOME=$PWD TOLLGATE_CONFIG=${configFile}
        export PATH=${cfg.package}/bin:$PATH
        tollgate setup ${tool.name} --apply${flags}
      '';
    in
    lib.mkIf cfg.${option}.enable (
      lib.mapAttrs (_: file: { source = "${home}/${file}"; }) tool.files
    );

  # What services.grafana-alloy had beside what is below.
  goneKeys = "Write the keys to files: langfuse.publicKeyFile and langfuse.secretKeyFile.";
  goneSignals = "Add a destination of type otlp to services.tollgate.settings.destinations.";
  goneHost = "Tollgate takes what AI tools send: keep services.grafana-alloy for the machine.";
  goneOfLangfuse = {
    credentialSource = goneKeys;
    azureKeyVaultName = goneKeys;
    onePasswordRefs = goneKeys;
  };
  gone = {
    configFile = "Set services.tollgate.settings.";
    otlpPort = "Set services.tollgate.settings.listen.";
    k8sEndpoint = "Set services.tollgate.tempo.endpoint.";
    localForwardPort = goneSignals;
    phoenixEndpoint = goneSignals;
    lokiEndpoint = goneSignals;
    mimirEndpoint = goneSignals;
    targetCluster = goneHost;
    enableNodeExporter = goneHost;
    enableJournald = goneHost;
    journaldUnits = goneHost;
    stopTimeout = "Set services.tollgate.settings.shutdown_timeout_ms.";
  };
in
{
  imports =
    let
      ours = [
        "services"
        "tollgate"
      ];
      langfuse = ours ++ [ "langfuse" ];
      file = [ "environmentFile" ];
      removed = path: name: lib.mkRemovedOptionModule (path ++ [ name ]);
    in
    [ (lib.mkRenamedOptionModule (langfuse ++ file) (ours ++ file)) ]
    ++ lib.mapAttrsToList (removed ours) gone
    ++ lib.mapAttrsToList (removed langfuse) goneOfLangfuse;

  options.services.tollgate = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to run Tollgate, the gateway between AI tools, and Langfuse and Tempo.";
    };

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package with the program and its units.";
    };

    settings = mkOption {
      type = json.type;
      default = { };
      example = {
        listen = "0.0.0.0:4318";
        access.keys_file = "$CREDENTIALS_DIRECTORY/keys";
        spool.max_bytes = "50GiB";
      };
      description = ''
        Everything that {manpage}`tollgate.json(5)` has, as it is there; wins over the options
        beside this one. It becomes {file}`/etc/tollgate/tollgate.json`, which everybody can read,
        so that keys belong into files: add those to
        {option}`systemd.services.tollgate.serviceConfig.LoadCredential` and name them
        `$CREDENTIALS_DIRECTORY/…`.
      '';
    };

    environmentFile = optional types.path ''
      A file of `NAME=value` lines with what the Nix store must not have, such as
      `LANGFUSE_SECRET_KEY` or `TOLLGATE_TEMPO_HEADERS`.
    '';

    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to let others reach the port of `settings.listen`.";
    };

    controlGroup = mkOption {
      type = types.str;
      default = "tollgate-operators";
      example = "wheel";
      description = ''
        The group whose members may ask the daemon: `tollgate status`, `show`, `doctor` and others.
        They see everybody's prompts.
      '';
    };

    langfuse = {
      enable = mkOption {
        type = types.bool;
        default = false;
        description = "Whether to send to Langfuse, and to stand in front of it for its SDKs.";
      };
      endpoint = mkOption {
        type = types.str;
        default = "https://cloud.langfuse.com";
        example = "https://us.cloud.langfuse.com";
        description = "Its address, with or without `/api/public/otel`.";
      };
      publicKeyFile = optional types.path ''
        Holds the public key of the project; read by systemd as root, see {option}`secretKeyFile`.
      '';
      secretKeyFile = optional types.path ''
        Holds the secret key of the project. Nobody but root has to be able to read it.
      '';
      batchSize = optional types.ints.positive "How many spans a request should reach.";
      batchTimeout = mkOption {
        type = types.nullOr (types.strMatching "([0-9]+(ms|s|m|h))+");
        default = null;
        example = "10s";
        description = "How long spans wait for more before they go: `500ms`, `10s` or `1m30s`.";
      };
      userId = optional types.str "The user of spans that name none.";
      tags = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "production" ];
        description = "Tags of spans that have none.";
      };
      retryEnabled = mkOption {
        type = types.bool;
        default = true;
        description = "Always true, as it was in services.grafana-alloy by default.";
      };
      queueSize = optional types.ints.positive ''
        Without effect: what waits is on disk, up to `settings.spool.max_bytes`.
      '';
    };

    tempo = {
      enable = mkOption {
        type = types.bool;
        default = false;
        description = "Whether to send traces to Tempo, a Collector or Alloy.";
      };
      endpoint = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "http://tempo.lan:4318";
        description = "Its address for OTLP over HTTP.";
      };
      headers = mkOption {
        type = types.attrsOf types.str;
        default = { };
        example = {
          X-Scope-OrgID = "team";
        };
        description = ''
          Added to each request. Everybody can read them; a secret one belongs into
          {option}`services.tollgate.environmentFile`, as `TOLLGATE_TEMPO_HEADERS=Authorization=…`.
        '';
      };
    };

    claudeCode = toolOptions "Claude Code" ''
      {file}`/etc/claude-code/managed-settings.d/`. It wins over the settings of each user, whose own
      hooks still run.
    '';
    codex = toolOptions "Codex CLI" ''
      {file}`/etc/codex/config.toml` and {file}`/etc/codex/hooks.json`. A user whose own
      {file}`~/.codex/config.toml` says something else, such as another `notify`, keeps that and needs
      `tollgate setup codex`.
    '';
    gemini = toolOptions "Gemini CLI" ''
      {file}`/etc/gemini-cli/system-defaults.json`. A user's own settings win over it, and so do
      variables: `OTEL_EXPORTER_OTLP_ENDPOINT` must not be set.
    '';
  };

  config = lib.mkIf cfg.enable {
    services.tollgate.settings = lib.mkMerge [
      (members {
        listen = "127.0.0.1:4318";
        control_socket = "/run/tollgate/control.sock";
        control_group = cfg.controlGroup;
      })
      {
        identity = members {
          user_id = cfg.langfuse.userId;
          inherit (cfg.langfuse) tags;
        };
      }
      (lib.mkIf cfg.langfuse.enable {
        destinations.langfuse = members {
          type = "langfuse";
          inherit (cfg.langfuse) endpoint;
          public_key_file = credential "langfuse-public-key";
          secret_key_file = credential "langfuse-secret-key";
          batch_size = cfg.langfuse.batchSize;
          batch_timeout_ms = lib.mapNullable milliseconds cfg.langfuse.batchTimeout;
        };
      })
      (lib.mkIf cfg.tempo.enable {
        destinations.tempo = members {
          type = "otlp";
          inherit (cfg.tempo) endpoint;
          headers = if cfg.tempo.headers == { } then null else cfg.tempo.headers;
        };
      })
    ];

    assertions = [
      {
        assertion = address != null;
        message = ''
          services.tollgate.settings.listen is "${cfg.settings.listen}", but systemd listens there, and
          wants an address and a port: 127.0.0.1:4318, 0.0.0.0:4318 or [::1]:4318.
        '';
      }
      {
        assertion =
          address == null || isLoopback || hasKeys || access.anonymous or "" == "everyone";
        message = ''
          services.tollgate.settings.listen is "${cfg.settings.listen}", which others can reach, and
          nobody needs a key. Make one with "tollgate key" and name its file in
          settings.access.keys_file, or say settings.access.anonymous = "everyone".
        '';
      }
      {
        assertion = cfg.openFirewall -> address == null || !isLoopback;
        message = ''
          services.tollgate.openFirewall opens a port at which nobody from outside is heard: set
          services.tollgate.settings.listen too, for example to "0.0.0.0:4318".
        '';
      }
      {
        assertion = (cfg.langfuse.publicKeyFile == null) == (cfg.langfuse.secretKeyFile == null);
        message = ''
          services.tollgate.langfuse: publicKeyFile and secretKeyFile belong together, and one of them
          is not set.
        '';
      }
      {
        assertion =
          cfg.langfuse.enable
          ->
            keyFiles != { }
            || cfg.environmentFile != null
            || destinations.langfuse ? public_key
            || config.systemd.services.tollgate.environment ? LANGFUSE_PUBLIC_KEY;
        message = ''
          services.tollgate.langfuse.enable needs the keys of the project: set publicKeyFile and
          secretKeyFile, or services.tollgate.environmentFile to a file with LANGFUSE_PUBLIC_KEY and
          LANGFUSE_SECRET_KEY.
        '';
      }
      {
        assertion = !lib.any isInStore (lib.attrValues keyFiles);
        message = ''
          services.tollgate.langfuse: a key file is in the Nix store, where everybody can read it. Name
          the file that sops-nix or agenix writes, as text: "/run/secrets/langfuse-secret-key".
        '';
      }
      {
        assertion = !lib.any (destination: destination ? secret_key) (lib.attrValues destinations);
        message = ''
          services.tollgate.settings.destinations has a secret_key, which everybody could read in the
          Nix store: use secret_key_file.
        '';
      }
      {
        assertion = cfg.langfuse.retryEnabled;
        message = ''
          services.tollgate.langfuse.retryEnabled = false: Tollgate sends again until Langfuse has it,
          and cannot be told otherwise. Delete the line; what may wait is bounded by
          settings.spool.max_bytes.
        '';
      }
      {
        assertion =
          cfg.tempo.enable -> cfg.tempo.endpoint != null || destinations.tempo ? traces_endpoint;
        message = ''
          services.tollgate.tempo.enable needs services.tollgate.tempo.endpoint, such as
          "http://tempo.lan:4318".
        '';
      }
    ];

    warnings =
      lib.optional (cfg.langfuse.queueSize != null) ''
        services.tollgate.langfuse.queueSize has no effect, delete it: Tollgate keeps what waits on
        disk, up to services.tollgate.settings.spool.max_bytes, and drops nothing after five minutes.
      ''
      ++ lib.optional (lib.any isSecret (lib.attrNames cfg.tempo.headers)) ''
        services.tollgate.tempo.headers has Authorization, which everybody can read in the Nix store:
        put it into services.tollgate.environmentFile as TOLLGATE_TEMPO_HEADERS.
      '';

    environment.systemPackages = [ cfg.package ];
    environment.etc = lib.mkMerge (
      [ { "tollgate/tollgate.json".source = configFile; } ] ++ lib.mapAttrsToList toolFiles tools
    );

    networking.firewall = lib.mkIf cfg.openFirewall {
      allowedTCPPorts = [ (lib.toInt (lib.last address)) ];
    };

    users.groups.${cfg.controlGroup} = { };

    # The empty ones take back what the package's units say.
    systemd.packages = [ cfg.package ];
    systemd.sockets.tollgate = {
      wantedBy = [ "sockets.target" ];
      listenStreams = [
        ""
        cfg.settings.listen
      ];
    };
    systemd.services.tollgate = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ configFile ];
      stopIfChanged = false; # the socket stays open meanwhile
      environment.TOLLGATE_CONTROL_GROUP = cfg.controlGroup;
      serviceConfig = {
        ExecReload = [
          ""
          "${pkgs.coreutils}/bin/kill -HUP $MAINPID"
        ];
        SupplementaryGroups = [
          ""
          cfg.controlGroup
        ];
        LoadCredential = lib.mapAttrsToList (name: file: "${name}:${toString file}") keyFiles;
        EnvironmentFile = lib.mkIf (cfg.environmentFile != null) [ cfg.environmentFile ];
      };
    };
  };
}
