#!/bin/sh
# Takes the picture of a trace for the README: plays a pod in private namespaces as root, has agentctl write the page
# of its trace, and Chromium photograph it. The programs have to be built (make picture does).
#
#   scripts/docs/picture.sh [OUT]      default: docs/trace.png
set -eu
cd "$(dirname "$0")/../.."
out=${1:-docs/trace.png}
folder=$(mktemp -d)
agent='' forwarder=''
# The agent is the first process of its namespaces, and ends with what has made them.
end() {
  [ -z "$agent" ] || kill -KILL "$agent" 2>/dev/null || :
  [ -z "$forwarder" ] || kill "$forwarder" 2>/dev/null || :
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$folder/rootfs/bin"
cp /bin/busybox "$folder/rootfs/bin/sh"
ln -s sh "$folder/rootfs/bin/sleep"
build/kata-trace-forwarder --listen "unix://$folder/trace.sock" --file "$folder/spans.jsonl" --log-level warn &
forwarder=$!
KATA_AGENT_TRACING=isolated KATA_AGENT_TRACE_ADDR="unix://$folder/trace.sock" \
  KATA_AGENT_SERVER_ADDR="unix://$folder/agent.sock" scripts/namespaces.sh build/kata-agent >/dev/null &
agent=$!
build/agentctl --addr "unix://$folder/agent.sock" --wait 60s pod --hostname web "$folder/rootfs" sh -c 'echo hello'
wait "$agent"
agent=
kill "$forwarder"
wait "$forwarder"
forwarder=
build/agentctl trace "$folder/spans.jsonl" --html "$folder/page.html"
node_modules/.bin/node scripts/docs/take-picture.ts "$folder/page.html" "$out"
