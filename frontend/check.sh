#!/usr/bin/env bash
# All that is checked of the script and the style sheet: that the files which the package ships are
# what is made from here, their types, lint and format, and the tests of what needs no browser.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --silent
npm run --silent check
