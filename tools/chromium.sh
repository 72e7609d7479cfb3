#!/bin/sh
# Make sure that the browser tests find Chromium: install Debian's where we may, else say how.
set -eu
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Debian's chromium for the browser tests" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 </dev/null && exit 0
  apt-get update -qq </dev/null
  apt-get install -y -qq --no-install-recommends chromium >/dev/null </dev/null && exit 0
fi
echo "The browser tests need Chromium: install it (Debian: apt-get install chromium)," >&2
echo "or leave them out: make test BROWSER=no" >&2
exit 1
