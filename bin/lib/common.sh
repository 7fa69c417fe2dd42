# shellcheck shell=bash
# What the scripts in bin/ share: headings, elapsed time, ends that teach. Sourced, never run; sets $root and goes there.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
cd "$root" || exit 1
# When the first of the scripts that call one another began.
export FOOTPLATE_STARTED=${FOOTPLATE_STARTED:-$(date +%s)}

# Most tools end with a status of their own when they are interrupted, which is no failure to report.
trap 'exit 130' INT

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

elapsed() { echo $(($(date +%s) - FOOTPLATE_STARTED)); }

# A line about what happens next, with the time since then.
step() { printf '%s[%3ds] %s%s\n' "$bold" "$(elapsed)" "$*" "$plain"; }

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# quietly LOG COMMAND...: runs it with its output in LOG, which is shown only if it fails.
quietly() {
  local log=$1 status=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  ((status == 0)) || cat "$log"
  return "$status"
}

# Puts cargo within reach on a machine where only rustup's own directory has it.
find_cargo() {
  command -v cargo >/dev/null && return 0
  [[ -x $HOME/.cargo/bin/cargo ]] && PATH="$HOME/.cargo/bin:$PATH"
}
