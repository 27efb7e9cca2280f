package clients

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// scriptVerbs are the command lines of boto3/client.py and js/client.cjs, which
// do the verbs with an SDK.
var scriptVerbs = verbs{
	"make":     "make {bucket}",
	"put":      "put {file} {bucket} {key}",
	"get":      "get {bucket} {key} {file}",
	"list":     "list {bucket}",
	"copy":     "copy {bucket} {from} {key}",
	"delete":   "delete {bucket} {key}",
	"upload":   "upload {file} {bucket} {key}",
	"download": "download {bucket} {key} {file}",
	"sign-get": "sign-get {bucket} {key}",
	"sign-put": "sign-put {bucket} {key}",
	"clear":    "clear {bucket}",
}

// TestBoto3 runs the boto3 of every Python on the PATH that has one.
func TestBoto3(t *testing.T) {
	t.Parallel()
	var found []client
	for _, python := range programs("python3") {
		program := []string{python, "boto3/client.py"}
		c := command{
			name:    "boto3",
			program: program,
			version: append(program, "version"),
			env:     awsEnv(),
			verbs:   scriptVerbs,
		}
		if client, ok := c.client(t.Context()); ok {
			found = append(found, client)
		}
	}
	exerciseAll(t, "boto3", found)
}

// TestJavaScript runs the AWS SDK for JavaScript that scripts/install-clients
// has put into .tools/js.
func TestJavaScript(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Abs("../../.tools/js/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	var found []client
	if node, err := exec.LookPath("node"); err == nil {
		program := []string{node, "js/client.cjs"}
		c := command{
			name:    "js",
			program: program,
			version: append(program, "version"),
			env:     append(awsEnv(), "NODE_PATH="+modules),
			verbs:   scriptVerbs,
		}
		if client, ok := c.client(t.Context()); ok {
			found = append(found, client)
		}
	}
	exerciseAll(t, "the JavaScript SDK", found)
}
