#!/usr/bin/env bash
# Prints "PASSED FAILED", the numbers of test cases in the run that a Bazel event file (JSON lines)
# describes.
#
#   tools/count_tests.sh EVENTS.json
#
# The cases come from each test's test.xml. A test that failed without a failed case (crash, time out, sanitizer report
# at exit) counts as one failure, and so does a test that could not be built.
set -euo pipefail
events=$1

# Lines "STATUS XML_FILE" of the last attempt of every test, shard and run.
test_results() {
  sed -n 's/^{"id":{"testResult":{"label":"\([^"]*\)","run":\([0-9]*\),"shard":\([0-9]*\).*/\1#\2#\3\t&/p' "$events" |
    awk -F '\t' '{
      status = $2; sub(/.*"status":"/, "", status); sub(/".*/, "", status)
      xml = ""
      if (match($2, /"name":"test\.xml","uri":"file:\/\/[^"]*"/)) {
        xml = substr($2, RSTART, RLENGTH); sub(/.*file:\/\//, "", xml); sub(/"$/, "", xml)
      }
      last[$1] = status "\t" xml
    }
    END { for (test in last) print last[test] }'
}

# "CASES FAILED" of one test.xml, as written by GoogleTest or by Bazel for scripts.
count_cases() {
  awk '
    /<testcase / { cases++; counted = 0; if (/result="skipped"|status="notrun"/) cases-- }
    /<(failure|error)[ >]/ && !counted { failed++; counted = 1 }
    END { print cases + 0, failed + 0 }' "$1"
}

# Number of test targets that were not completed; test targets have a "testSize".
unbuilt_tests() {
  awk '
    function label(line) { sub(/.*Co[a-z]*ed":{"label":"/, "", line); sub(/".*/, "", line); return line }
    /^{"id":{"targetConfigured"/ && /"testSize"/ { is_test[label(substr($0, 1, 500))] = 1 }
    /^{"id":{"targetCompleted"/ && !/"completed":{"success":true/ { broken[label(substr($0, 1, 500))] = 1 }
    END { for (target in broken) if (target in is_test) count++; print count + 0 }' "$events"
}

passed=0
failed=$(unbuilt_tests)
while IFS=$'\t' read -r status xml; do
  read -r cases bad < <(if [ -f "$xml" ]; then count_cases "$xml"; else echo 0 0; fi)
  if [ "$status" != PASSED ] && [ "$status" != FLAKY ] && [ "$bad" = 0 ]; then
    bad=1
    if [ "$cases" = 0 ]; then cases=1; fi
  fi
  passed=$((passed + cases - bad))
  failed=$((failed + bad))
done < <(test_results)
echo "$passed $failed"
