"""Evaluates nixos/ and gives what comes out to the program: see tests/check-nixos."""
import grp
import json
import os
import pathlib
import subprocess
import sys
import tempfile

source = pathlib.Path(os.environ.get("srcdir", ".")).resolve()
tollgate = pathlib.Path(os.environ.get("builddir", ".")).resolve() / "tollgate"
bad = []


def evaluate(scratch):
    lib = os.environ.get("NIXPKGS_LIB", source / "tests/nixos/lib.nix")
    command = ["nix-instantiate", "--store", "dummy://", "--eval", "--strict", "--json",
               "--arg", "lib", f"import {lib}", "--argstr", "scratch", scratch,
               "--argstr", "group", grp.getgrgid(os.getgid()).gr_name,
               str(source / "tests/nixos/cases.nix")]
    evaluated = subprocess.run(command, capture_output=True, text=True,
                               env=dict(os.environ, HOME=scratch))
    if evaluated.returncode:
        sys.exit(evaluated.stderr)
    return json.loads(evaluated.stdout)


def run(words, command, scratch):
    environment = {"PATH": os.environ["PATH"], "HOME": scratch, "out": f"{scratch}/out",
                   "CREDENTIALS_DIRECTORY": scratch}
    ran = subprocess.run(command, capture_output=True, text=True, cwd=scratch, env=environment)
    if ran.returncode:
        bad.append(f"{words}: {ran.stdout}{ran.stderr}")


with tempfile.TemporaryDirectory() as scratch:
    made = evaluate(scratch)
    for name, case in made["failures"].items():
        bad.append(f"{name}: expected {case['expected']}, found {case['found']}")

    place = pathlib.Path(scratch)
    (place / "package/bin").mkdir(parents=True)
    (place / "package/bin/tollgate").symlink_to(tollgate)
    for key in ("public", "secret"):
        file = place / f"langfuse-{key}-key"
        file.write_text(f"{key[0]}k-lf-0")
        file.chmod(0o400)
    (place / "tollgate.json").write_text(json.dumps(made["settings"]))
    run("settings", [tollgate, "config", "--check", "--config", "tollgate.json"], scratch)

    # Each is the script that makes a directory, and a file in it.
    for etc, text in made["tools"].items():
        script, _, file = text.rpartition("\n")
        expected = "-e http://127.0.0.1:4400 -e 'tollgate hook'"
        run(etc, ["sh", "-ec", f"rm -rf $out\n{script}\ngrep -q {expected} $out{file}"], scratch)

    print(f"{made['count']} cases")
sys.exit("\n".join(bad) or None)
