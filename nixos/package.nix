{
  lib,
  stdenv,
  autoreconfHook,
  pkg-config,
  protobufc,
  curl,
  gnutls,
  isa-l,
  jansson,
  libmicrohttpd,
  openssl,
  sqlite,
  zlib,
  zstd,
}:
stdenv.mkDerivation {
  pname = "tollgate";
  version = lib.head (
    builtins.match ".*AC_INIT\\(\\[tollgate], \\[([^]]*)].*" (builtins.readFile ../configure.ac)
  );

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../ARCHITECTURE.md
      ../Makefile.am
      ../README.md
      ../configure.ac
      ../man
      ../pricing
      ../proto
      ../src
      ../systemd
      ../tests
    ];
  };

  nativeBuildInputs = [
    autoreconfHook
    pkg-config
    protobufc
  ];
  buildInputs = [
    curl
    gnutls
    isa-l
    jansson
    libmicrohttpd
    openssl
    protobufc
    sqlite
    zlib
    zstd
  ];
  enableParallelBuilding = true;

  meta = {
    description = "Gateway between AI tools, and Langfuse and Tempo";
    mainProgram = "tollgate";
    platforms = lib.platforms.linux;
  };
}
