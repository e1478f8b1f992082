#!/bin/sh
# What `make demo` runs: crawls the demo network, served at $1, and asks the archive three questions.
set -u
PATH="$PWD/.venv/bin:$PATH"
data=data/demo-archive
rm -rf "$data"

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show alsoread crawl kitchen-notes.techidaily.com --connect-to "$1" --data "$data"
code=$?
[ "$code" -le 1 ] || exit "$code" # 1: one blog uses a template that is not known, and the summary says so

show sqlite-utils "$data/archive.db" "select * from articles_by_host" --table
show sqlite-utils search "$data/archive.db" articles "sourdough OR loaf" -c title -c author --limit 3 --table
show sqlite-utils "$data/archive.db" "select url, state, reason, linked_from from missing_targets" --table
printf '\nThe articles as Markdown: %s/articles\nOne of them:             alsoread show https://kitchen-notes.techidaily.com/tea-time/ --data %s\n' "$data" "$data"
