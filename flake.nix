{
  description = "Tollgate, a gateway between AI tools, and Langfuse and Tempo";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      forEachSystem =
        f:
        nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
          system: f nixpkgs.legacyPackages.${system}
        );
    in
    {
      overlays.default = final: _: { tollgate = final.callPackage ./nixos/package.nix { }; };

      nixosModules.default = ./nixos/module.nix;

      packages = forEachSystem (pkgs: {
        default = pkgs.callPackage ./nixos/package.nix { };
      });

      # What ./bootstrap installs elsewhere.
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ self.packages.${pkgs.stdenv.hostPlatform.system}.default ];
          packages = [
            pkgs.clang
            pkgs.clang-tools
            pkgs.criterion
            pkgs.llvm
            pkgs.mandoc
            pkgs.nix
            pkgs.python3
            pkgs.xz
          ];
        };
      });
    };
}
