package clients

import (
	"context"
	"path/filepath"
	"testing"
)

// scriptVerbs are the command lines of boto3/client.py and js/client.cjs, which
// do the verbs with an SDK.
var scriptVerbs = verbs{
	"make":      "make {bucket}",
	"put":       "put {file} {bucket} {key}",
	"get":       "get {bucket} {key} {file}",
	"resume":    "resume {bucket} {key} {file}",
	"list":      "list {bucket}",
	"copy":      "copy {bucket} {from} {key}",
	"delete":    "delete {bucket} {key}",
	"upload":    "upload {file} {bucket} {key}",
	"download":  "download {bucket} {key} {file}",
	"sign-get":  "sign-get {bucket} {key}",
	"sign-put":  "sign-put {bucket} {key}",
	"sign-post": "sign-post {bucket} {key}",
	"wait":      "wait {bucket} {key}",
	"pages":     "pages {bucket}",
	"transfer":  "transfer {file} {bucket} {key}",
	"clear":     "clear {bucket}",
}

// boto3 is that of every Python on the PATH that has one.
func boto3(ctx context.Context, at endpoint) []client {
	var commands []command
	for _, python := range programs("python3") {
		commands = append(commands, command{
			name:    "boto3",
			program: []string{python, "boto3/client.py"},
			version: []string{python, "boto3/client.py", "version"},
			env:     awsEnv(at),
			verbs:   scriptVerbs,
		})
	}
	return installed(ctx, commands...)
}

func TestBoto3(t *testing.T) {
	t.Parallel()
	exerciseAll(t, "boto3", boto3)
}

// javaScript is the SDK that scripts/install-clients has put into .tools/js.
func javaScript(ctx context.Context, at endpoint) []client {
	modules, err := filepath.Abs("../../.tools/js/node_modules")
	if err != nil {
		return nil
	}
	return installed(ctx, command{
		name:    "js",
		program: []string{"node", "js/client.cjs"},
		version: []string{"node", "js/client.cjs", "version"},
		env:     append(awsEnv(at), "NODE_PATH="+modules),
		verbs:   scriptVerbs,
	})
}

func TestJavaScript(t *testing.T) {
	t.Parallel()
	exerciseAll(t, "AWS SDK for JavaScript", javaScript)
}
