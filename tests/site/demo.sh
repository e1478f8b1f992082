#!/bin/sh
# What `make demo` runs: crawls the demo network and asks the archive three questions. Every command that it shows
# works when it is pasted in the project's folder, after the first.
set -u
data=data/demo-archive
rm -rf "$data"

show() {
    printf '\n$ %s\n' "$1"
    eval "$1"
}

show ". .venv/bin/activate"
show "python -m tests.site --run alsoread crawl kitchen-notes.techidaily.com --connect-to '{site}' --data $data"
code=$?
[ "$code" -le 1 ] || exit "$code" # 1: one blog uses a template that is not known, and the summary says so

show "sqlite-utils $data/archive.db 'select * from articles_by_host' --table"
show "sqlite-utils search $data/archive.db articles 'sourdough OR loaf' -c title -c author --limit 3 --table"
show "sqlite-utils $data/archive.db 'select url, state, reason, linked_from from missing_targets' --table"
show "ls $data/articles"
show "alsoread show https://kitchen-notes.techidaily.com/tea-time/ --data $data | head -20"
