#!/usr/bin/env bash
# Makes the corpus: a Fossil repository with the published history of three npm packages, written by stock Fossil.
#
# usage: make.sh FILE          (an existing FILE is left as it is)
#
# Every version in versions.txt is one check-in that replaces the folder of its package. A version of an older major
# goes to a branch of that major, a pre-release to a branch that the release merges and closes. Around these: renames,
# executable bits, a symbolic link, binary files, merges of every kind, amendments, a delta manifest, wiki pages,
# tickets, technotes, attachments, a forum thread, a private branch, a shunned artifact and unversioned files.
#
# The tarballs are fetched once by `npm pack` into $LEAF_CACHE/npm (default: .cache at the root of the tree). With no
# registry in reach the versions are made up instead, and the script and FILE.source say so. Check-ins have fixed dates
# and are the same in each run; wiki pages, tickets and attachments carry the time of the run, as stock offers no choice.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${LEAF_CACHE:-$(cd "$here/../.." && pwd)/.cache}
out=${1:?usage: make.sh FILE}
[ ! -e "$out" ] || exit 0
command -v fossil >/dev/null || { echo "make.sh: the program fossil is missing: apt install fossil" >&2; exit 1; }

mkdir -p "$cache/npm" "$(dirname "$out")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work/home" USER=alice FOSSIL_USER=alice TZ=UTC LC_ALL=C
mkdir "$HOME" "$work/tree"
repo="$work/corpus.fossil"

# --- the packages -----------------------------------------------------------------------------------------------------

fetch() {
    local missing
    mapfile -t missing < <(while read -r name version; do
        [ -s "$cache/npm/$name-$version.tgz" ] || echo "$name@$version"
    done < "$here/versions.txt")
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v npm >/dev/null || return 1
    echo "fetching ${#missing[@]} published versions by npm pack" >&2
    mkdir "$work/pack"
    (cd "$work/pack" && printf '%s\n' "${missing[@]}" |
        xargs -n 20 npm pack --silent --ignore-scripts --fetch-retries 1 >/dev/null 2>&1) || return 1
    mv "$work"/pack/*.tgz "$cache/npm/"
}

# One made-up version: texts that drift with the number of the check-in, and a binary file.
invent() {
    local folder=$1 number=$2 part
    mkdir -p "$folder/dist"
    for part in 1 2 3 4 5 6 7 8; do
        awk -v n="$number" -v part="$part" 'BEGIN { srand(part); for (i = 0; i < 150 * part; i++)
            printf "line %d of part %d: %.12f\n", i, part, rand() + (i % 97 == n % 97 ? n : 0) }' \
            > "$folder/dist/part$part.js"
    done
    gzip -nc "$folder/dist/part$((number % 8 + 1)).js" > "$folder/dist/part.min.js.gz"
    echo "version $number" > "$folder/package.json"
}

if fetch; then
    source="published versions of $(cut -d' ' -f1 "$here/versions.txt" | uniq | sort -u | paste -sd' ')"
else
    source="made-up versions (the npm registry is out of reach)"
    echo "make.sh: the npm registry is out of reach; the corpus holds made-up versions" >&2
fi

# --- check-ins --------------------------------------------------------------------------------------------------------

number=0
f() { fossil "$@" >> "$work/log" 2>&1 || { tail -5 "$work/log" >&2; echo "make.sh: failed: fossil $*" >&2; exit 1; }; }
stamp() { date -u -d "2020-01-06T09:00:00Z + $((number * 7)) days + $((number % 11)) hours" +%Y-%m-%dT%H:%M:%S; }
author() { case $((number % 3)) in 0) echo alice ;; 1) echo bob ;; *) echo carol ;; esac; }
commit() { # commit MESSAGE OPTION..
    local message=$1; shift
    number=$((number + 1))
    f commit --no-warnings --allow-empty --allow-older --allow-conflict --nosign \
        --date-override "$(stamp)" --user-override "$(author)" -m "$message" "$@"
}

f init "$repo" --admin-user alice --date-override "2020-01-01T00:00:00"
for user in bob carol dave; do f user new "$user" "$user@example.org" "${user}-pw" -R "$repo"; done
f user password alice alice-pw -R "$repo"
f user capabilities alice sxyae -R "$repo"
f user capabilities bob vgioxyhjkcrwnftep -R "$repo"
f user capabilities carol vgio -R "$repo"
f user capabilities dave h -R "$repo"
cd "$work/tree"
f open "$repo"
f settings autosync off
f settings allow-symlinks on
f settings mtime-changes off # tarballs date all files alike
f sql -R "$repo" "REPLACE INTO config(name,value,mtime) VALUES('project-name','Corpus of published packages',1577836800),
  ('project-description','it''s a test & a <demo>',1577836800);"

declare -A top_major last_of_major
while read -r name version; do
    major=${version%%.*}
    branch=trunk
    case $version in
        *-*) branch="$name-next" ;;
        *) [ "$major" -ge "${top_major[$name]:-0}" ] || branch="$name-$major.x" ;;
    esac
    options=(--tag "$name-$version")
    if fossil branch list 2>/dev/null | sed 's/^[* #]*//' | grep -qxF "$branch"; then
        f update "$branch"
    elif [ "$branch" = "$name-next" ]; then
        f update trunk; options+=(--branch "$branch" --branchcolor '#ffe0c0')
    elif [ "$branch" != trunk ]; then
        f update "${last_of_major[$name-$major]}"; options+=(--branch "$branch")
    fi
    if [ "$branch" = trunk ] && fossil branch list | sed 's/^[* #]*//' | grep -qxF "$name-next"; then
        f merge --force --integrate "$name-next"
    fi
    rm -rf "$name"; mkdir "$name"
    if [[ $source == made-up* ]]; then invent "$name" "$number"
    else tar -xzf "$cache/npm/$name-$version.tgz" -C "$name" --strip-components 1 --no-same-owner --exclude='*/node_modules'
    fi
    chmod -R u+rwX,go-w "$name"
    f addremove --dotfiles
    commit "Publish $name $version" "${options[@]}"
    if [ "$branch" = trunk ]; then
        top_major[$name]=$major; last_of_major[$name-$major]="$name-$version"
    fi
    if [ $((number % 40)) -eq 0 ]; then echo "  $number check-ins" >&2; fi
done < "$here/versions.txt"

# --- what a history of publications does not have ---------------------------------------------------------------------

f update trunk
mkdir -p notes/deep/er
for i in 1 2 3 4 5; do seq -f "note $i line %g" 1 $((i * 40)) > "notes/deep/er/n$i.txt"; done
printf '#!/bin/sh\necho hello\n' > notes/run.sh; chmod +x notes/run.sh
ln -s run.sh notes/link
printf 'name with a space and \xc3\xbc\n' > "notes/sp ace-ü.txt"
awk 'BEGIN { srand(7); for (i = 0; i < 60000; i++) printf "%c", int(rand() * 255) + 1 }' > notes/noise.bin
: > notes/empty
f addremove; commit "Add notes, a script, a link and noise" --tag notes-added
f mv --hard notes/deep/er/n1.txt notes/first.txt
f mv --hard notes/deep/er/n2.txt notes/deep/second.txt
echo "one more line" >> notes/deep/second.txt
chmod -x notes/run.sh
commit "Rename two notes, one of them edited; drop the executable bit"
chmod +x notes/run.sh; rm notes/link; echo "now a file" > notes/link
commit "Turn the link into a file" --mimetype text/x-markdown
f mv --hard notes/deep notes/moved
commit "Move a folder"
echo "edited by delta manifest" >> notes/first.txt
commit "A check-in with a delta manifest" --delta
echo "again" >> notes/first.txt
commit "A second one on the same baseline" --delta
f rm --hard notes/moved/second.txt
commit "Remove a file with a delta manifest" --delta
commit "Back to a baseline" --baseline

base=$(fossil info | awk '/^checkout:|^hash:/ { print $2; exit }')
echo "topic" > notes/topic.txt; f add notes/topic.txt
commit "Start a topic" --branch topic --bgcolor '#c0ffc0'
echo "topic 2" >> notes/topic.txt; commit "Continue the topic [$base]"
topic=$(fossil info | awk '/^checkout:|^hash:/ { print $2; exit }')
f update trunk
echo "on trunk" >> notes/first.txt; commit "Go on with trunk, see [notes-added]"
f merge topic; commit "Merge the topic"
f update topic; echo "topic 3" >> notes/topic.txt; commit "Continue after the merge"
cherry=$(fossil info | awk '/^checkout:|^hash:/ { print $2; exit }')
f update trunk; f merge --cherrypick "$cherry"; commit "Cherry-pick from the topic"
f merge --backout "$cherry"; commit "Back it out again"
f update topic; commit "Close the topic" --close
f update trunk
commit "A fork, first side"; fork=$(fossil info | awk '/^checkout:|^hash:/ { print $2; exit }')
parent=$(fossil info | awk '/^parent:/ { print $2; exit }')
f update "$parent"; echo "second side" > notes/fork.txt; f add notes/fork.txt
commit "A fork, second side" --allow-fork
f merge "$fork"; commit "Merge the fork"
f branch new stable trunk --date-override 2024-01-01T00:00:00 --user-override bob
f tag add --raw --propagate --date-override 2024-01-01T00:00:01 --user-override bob release-line trunk "with a value"
f tag add --date-override 2024-01-01T00:00:02 --user-override carol v1 notes-added
f tag add --date-override 2024-01-01T00:00:03 --user-override carol v1-wrong notes-added
f tag cancel --date-override 2024-01-01T00:00:04 --user-override carol v1-wrong notes-added

late="--user-override carol --date-override"
f amend notes-added -m "Add notes, a script, a link and noise (amended)" $late 2024-02-01T00:00:00
f amend "$cherry" --author dave --date 2023-06-01T12:00:00 $late 2024-02-01T00:00:01
f amend "$base" --bgcolor '#d0d0ff' --tag amended $late 2024-02-01T00:00:02
f amend "$topic" --branchcolor '#ffd0d0' $late 2024-02-01T00:00:03
f amend stable --hide --close $late 2024-02-01T00:00:04
f amend nanoid-3.3.20 --branch nanoid-last --tag moved --cancel nanoid-3.3.20 $late 2024-02-01T00:00:05

# --- wiki, tickets, technotes, attachments, forum ---------------------------------------------------------------------

for page in Home "Second Page" "trunk notes"; do
    printf 'The page %s.\n\nSee [notes-added] and [Home].\n' "$page" > page; f wiki create "$page" page
    printf 'An edit of %s, with a link to [%s].\n' "$page" "$cherry" > page; f wiki commit "$page" page -M text/x-markdown
done
: > page; f wiki commit "trunk notes" page
for i in 1 2 3 4 5 6; do
    f ticket add title "Ticket $i is about 'quotes' & more" type Code_Defect status Open severity Minor comment "first line $i"
done
mapfile -t tickets < <(fossil sql -R "$repo" "SELECT tkt_uuid FROM ticket ORDER BY tkt_id;" | tr -d "'")
f ticket set "${tickets[0]}" status Closed resolution Fixed
f ticket set "${tickets[0]}" +comment " and a remark"
f ticket set "${tickets[1]}" priority High foundin "notes-added"
f ticket set "${tickets[1]}" title "A new title [$base]"
for i in 1 2 3; do
    echo "technote $i, see [$base]" > page
    f wiki create "Technote $i" page --technote "2023-0$i-01 10:00:00" --technote-tags "release,t$i" --technote-bgcolor '#eeeeff'
done
echo "technote 1, edited" > page
note=$(fossil sql -R "$repo" "SELECT substr(tagname,7) FROM tag WHERE tagname GLOB 'event-*' ORDER BY tagname LIMIT 1;" | tr -d "'")
f wiki commit "Technote edited" page --technote "$note"
cp notes/noise.bin blob.bin; f attachment add Home blob.bin
echo "second" > blob.bin; f attachment add Home blob.bin
f attachment add --technote "$note" notes/first.txt

inject() { # inject FILE: adds the Z card and stores the artifact; prints its hash
    printf 'Z %s\n' "$(md5sum < "$1" | cut -d' ' -f1)" >> "$1"
    f test-content-put "$1"
    fossil sha3sum "$1" | cut -d' ' -f1
}
post() { printf '%b' "$1" > artifact; inject artifact; }
attached=$(fossil sha3sum notes/first.txt | cut -d' ' -f1)
post "A note.txt ${tickets[0]} $attached\nC a\\\\scomment\nD 2023-08-01T10:00:00\nU bob\n" > /dev/null
thread=$(post 'D 2023-09-01T10:00:00\nH A\\sfirst\\sthread\nN text/x-markdown\nU bob\nW 6\nhello\n\n')
reply=$(post "D 2023-09-01T11:00:00\nG $thread\nI $thread\nU carol\nW 8\na reply\n\n")
post "D 2023-09-02T11:00:00\nG $thread\nI $thread\nP $reply\nU carol\nW 10\nan edit. \n\n" > /dev/null
shunned=$(printf 'to be shunned\n' > artifact; f test-content-put artifact; fossil sha3sum artifact | cut -d' ' -f1)
f sql -R "$repo" "INSERT INTO shun(uuid,mtime,scom) VALUES('$shunned',1700000000,'by test');"
rm -f page blob.bin artifact

# --- private branch, unversioned files --------------------------------------------------------------------------------

f update trunk
echo "for our eyes" > notes/secret.txt; f add notes/secret.txt
commit "Private work" --private --branch secret
echo "more" >> notes/secret.txt; commit "More private work"
f update trunk
i=0
while read -r name version; do
    i=$((i + 1)); [ $((i % 12)) -eq 0 ] || continue
    if [[ $source == made-up* ]]; then tar -C "$work/tree" -czf "$work/uv.tgz" "$name"; else cp "$cache/npm/$name-$version.tgz" "$work/uv.tgz"; fi
    f uv add "$work/uv.tgz" --as "dist/$name-$version.tgz" --mtime "$(printf "2024-03-01 00:00:%02d" $((i % 60)))"
done < "$here/versions.txt"
f uv add notes/first.txt --as readme.txt --mtime "2024-03-01 12:00:00"
f uv add notes/run.sh --as gone.txt --mtime "2024-03-01 12:00:00"
f uv rm gone.txt --mtime "2024-03-02 12:00:00"
f close --force
f rebuild "$repo"

sane=$(fossil test-integrity -R "$repo" 2>&1 | tail -3)
[[ $sane == *" 0 errors"* ]] || { echo "make.sh: stock finds the corpus damaged: $sane" >&2; exit 1; }
echo "$source" > "$out.source"
mv "$repo" "$out.part" && mv "$out.part" "$out"
echo "corpus: $(fossil sql -R "$out" 'SELECT count(*) FROM blob;') artifacts, $source" >&2
