# As much of nixpkgs' lib as nixos/ uses, for machines that have Nix and no nixpkgs.
let
  lib = rec {
    inherit (builtins)
      any
      attrNames
      attrValues
      concatMap
      elem
      filter
      foldl'
      head
      isList
      length
      mapAttrs
      ;
    last = list: builtins.elemAt list (length list - 1);
    optional = condition: item: if condition then [ item ] else [ ];
    optionalString = condition: text: if condition then text else "";
    filterAttrs =
      keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    genAttrs =
      names: f:
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = f name;
        }) names
      );
    mapNullable = f: value: if value == null then null else f value;
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    hasInfix = infix: text: length (builtins.split infix text) > 1;
    toInt = builtins.fromJSON;
    toLower =
      builtins.replaceStrings
        (builtins.filter builtins.isString (builtins.split "" "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        (builtins.filter builtins.isString (builtins.split "" "abcdefghijklmnopqrstuvwxyz"));
    attrByPath =
      path: set: if path == [ ] then set else attrByPath (builtins.tail path) set.${head path};
    setAttrByPath =
      path: value:
      if path == [ ] then value else { ${head path} = setAttrByPath (builtins.tail path) value; };
    showPath = builtins.concatStringsSep ".";

    platforms.linux = [ "x86_64-linux" "aarch64-linux" ];
    literalExpression = text: { _type = "literalExpression"; inherit text; };
    mkOption = option: option // { _type = "option"; };
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    mkOverride = priority: content: { _type = "override"; inherit priority content; };
    mkDefault = mkOverride 1000;
    isOption = value: value._type or "" == "option";

    mkRemovedOptionModule =
      path: why:
      { options, ... }:
      {
        options = setAttrByPath path (mkOption {
          visible = false;
          type = types.anything;
        });
        config.assertions = [
          {
            assertion = !(attrByPath path options).isDefined;
            message = "`${showPath path}' no longer has any effect; please remove it.\n${why}";
          }
        ];
      };
    mkRenamedOptionModule =
      from: to:
      { options, config, ... }:
      {
        options = setAttrByPath from (mkOption {
          visible = false;
          type = types.anything;
        });
        config = mkIf (attrByPath from options).isDefined (
          setAttrByPath to (attrByPath from config)
        );
      };

    # A type checks each definition and merges those of the highest priority.
    types = rec {
      one = name: check: {
        inherit name check;
        merge =
          path: values:
          if builtins.all (value: value == head values) values then
            head values
          else
            throw "${showPath path} is defined differently";
      };
      bool = one "bool" builtins.isBool;
      str = one "str" builtins.isString;
      int = one "int" builtins.isInt;
      path = one "path" (
        value: builtins.isPath value || builtins.isString value && hasPrefix "/" value
      );
      package = one "package" (value: value ? outPath);
      ints.positive = one "positive" (value: builtins.isInt value && value > 0);
      strMatching =
        pattern:
        one "matching ${pattern}" (
          value: builtins.isString value && builtins.match pattern value != null
        );
      nullOr =
        type:
        type
        // {
          check = value: value == null || type.check value;
          merge = path: values: if elem null values then null else type.merge path values;
        };
      listOf = type: {
        name = "list of ${type.name}";
        check = value: isList value && builtins.all type.check value;
        merge = path: builtins.concatLists;
      };
      attrsOf = type: {
        name = "set of ${type.name}";
        check = builtins.isAttrs;
        merge =
          path: values:
          mapAttrs (name: found: mergeDefinitions (path ++ [ name ]) type found.defined) (
            filterAttrs (_: found: found.defined != [ ]) (
              builtins.zipAttrsWith (_: found: { defined = concatMap (discharge 100) found; }) values
            )
          );
      };
      anything = {
        name = "anything";
        check = value: true;
        merge =
          path: values:
          if builtins.all (value: builtins.isAttrs value && !(value ? outPath)) values then
            (attrsOf anything).merge path values
          else if length values > 1 && builtins.all isList values then
            builtins.concatLists values
          else
            (one "value" (value: true)).merge path values;
      };
    };

    # What is defined, each with its priority, once the conditions around it are known.
    discharge =
      priority: value:
      if value._type or "" == "if" then
        if value.condition then discharge priority value.content else [ ]
      else if value._type or "" == "merge" then
        concatMap (discharge priority) value.contents
      else if value._type or "" == "override" then
        discharge value.priority value.content
      else
        [ { inherit priority value; } ];

    mergeDefinitions =
      path: type: defined:
      let
        highest = foldl' (least: d: if d.priority < least then d.priority else least) 10000 defined;
        values = map (d: d.value) (filter (d: d.priority == highest) defined);
      in
      if builtins.all type.check values then
        type.merge path values
      else
        throw "${showPath path} is not of type ${type.name}";

    # Conditions are looked at where an option is: an option's value may not hang on itself.
    pushDown =
      value:
      if value._type or "" == "if" then
        map (mapAttrs (_: mkIf value.condition)) (pushDown value.content)
      else if value._type or "" == "merge" then
        concatMap pushDown value.contents
      else
        [ value ];

    mergeOptions =
      trees:
      builtins.zipAttrsWith (
        name: found: if any isOption found then head found else mergeOptions found
      ) trees;

    evalOptions =
      path: tree: definitions:
      let
        pushed = concatMap pushDown definitions;
        at = name: map (d: d.${name}) (filter (d: d ? ${name}) pushed);
        unknown = filter (name: !(tree ? ${name})) (concatMap attrNames pushed);
      in
      if unknown != [ ] then
        throw "The option `${showPath (path ++ [ (head unknown) ])}' does not exist"
      else
        mapAttrs (
          name: option:
          if isOption option then
            let
              defined = concatMap (discharge 100) (at name);
            in
            option
            // {
              isDefined = defined != [ ];
              value =
                if defined != [ ] then
                  mergeDefinitions (path ++ [ name ]) option.type defined
                else
                  option.default or (throw "${showPath (path ++ [ name ])} is used but not defined");
            }
          else
            evalOptions (path ++ [ name ]) option (at name)
        ) tree;

    valuesOf = mapAttrs (name: option: if isOption option then option.value else valuesOf option);

    evalModules =
      { modules, specialArgs }:
      let
        load =
          module:
          let
            loaded = if builtins.isPath module then import module else module;
            called =
              if builtins.isFunction loaded then
                loaded (specialArgs // { inherit config lib options; })
              else
                loaded;
          in
          [ called ] ++ concatMap load (called.imports or [ ]);
        all = concatMap load modules;
        options = evalOptions [ ] (mergeOptions (map (module: module.options or { }) all)) (
          map (module: module.config or (removeAttrs module [ "imports" "options" ])) all
        );
        config = valuesOf options;
      in
      {
        inherit config options;
      };
  };
in
lib
