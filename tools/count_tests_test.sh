#!/usr/bin/env bash
# Tests count_tests.sh with hand-written event files, one for each way in which a test can end.
set -euo pipefail
count=$(pwd)/tools/count_tests.sh
cd "$TEST_TMPDIR"

result() { # label status xml
  echo "{\"id\":{\"testResult\":{\"label\":\"$1\",\"run\":1,\"shard\":1,\"attempt\":1}},\"testResult\":{\"testActionOutput\":\
[{\"name\":\"test.log\",\"uri\":\"file://$PWD/x.log\"},{\"name\":\"test.xml\",\"uri\":\"file://$PWD/$3\"}],\"status\":\"$2\"}}"
}

expect() { # events "PASSED FAILED"
  local got
  got=$("$count" "$1")
  [ "$got" = "$2" ] || { echo "$1: expected '$2', got '$got'"; exit 1; }
}

printf '<testcase name="a" />\n<testcase name="b" />\n' >two.xml
printf '<testcase name="a" />\n<testcase name="b">\n<failure message="1">\n<failure message="2">\n</testcase>\n' >bad.xml
printf '<testcase name="a" />\n<testcase name="b" status="notrun" result="suppressed" />\n' >disabled.xml
printf '<testcase name="x"><error message="exited with error code 134"></error></testcase>\n' >crash.xml

result //a:a PASSED two.xml >passed.json; expect passed.json "2 0"
result //a:a FAILED bad.xml >failed.json; expect failed.json "1 1"
result //a:a PASSED disabled.xml >disabled.json; expect disabled.json "1 0"
result //a:a FAILED crash.xml >crash.json; expect crash.json "0 1"
result //a:a TIMEOUT none.xml >timeout.json; expect timeout.json "0 1"
# Every case passed, but the program ended with an error: a sanitizer's report at exit.
result //a:a FAILED two.xml >exit.json; expect exit.json "1 1"
# Only the last attempt of a flaky test counts.
{ result //a:a FAILED bad.xml; result //a:a PASSED two.xml; } >flaky.json; expect flaky.json "2 0"

{
  echo '{"id":{"targetConfigured":{"label":"//b:t"}},"children":[{"targetCompleted":{"label":"//b:t"}}],"configured":{"targetKind":"cc_test rule","testSize":"SMALL"}}'
  echo '{"id":{"targetConfigured":{"label":"//b:l"}},"configured":{"targetKind":"cc_library rule"}}'
  echo '{"id":{"targetCompleted":{"label":"//b:t"}},"completed":{"failureDetail":{}}}'
  echo '{"id":{"targetCompleted":{"label":"//b:l"}},"completed":{"failureDetail":{}}}'
} >unbuilt.json
expect unbuilt.json "0 1"
echo "all ways counted"
