package clients

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// awsVerbs are the verbs of aws-cli, versions 1 and 2.
var awsVerbs = verbs{
	"make":     "s3 mb s3://{bucket}",
	"put":      "s3 cp --only-show-errors {file} s3://{bucket}/{key}",
	"get":      "s3 cp --only-show-errors s3://{bucket}/{key} {file}",
	"list":     "s3 ls --recursive --page-size 7 s3://{bucket}",
	"copy":     "s3 cp --only-show-errors s3://{bucket}/{from} s3://{bucket}/{key}",
	"delete":   "s3 rm --only-show-errors s3://{bucket}/{key}",
	"upload":   "s3 cp --only-show-errors --recursive {file} s3://{bucket}/{key}",
	"download": "s3 sync --only-show-errors s3://{bucket}/{key} {file}",
	"mirror":   "s3 sync --no-progress --delete {file} s3://{bucket}/{key}",
	"reflect":  "s3 sync --no-progress --delete s3://{bucket}/{key} {file}",
	"sign-get": "s3 presign s3://{bucket}/{key}",
	"clear":    "s3 rb --force s3://{bucket}",
}

// awsCLI is every aws on the PATH: the newest and the distribution's are years
// apart.
func awsCLI(ctx context.Context, at endpoint) []client {
	var commands []command
	for _, program := range programs("aws") {
		commands = append(commands, command{
			name:    "aws",
			program: []string{program, "--endpoint-url", at.url},
			version: []string{program, "--version"},
			env:     awsEnv(at),
			verbs:   awsVerbs,
		})
	}
	return installed(ctx, commands...)
}

func TestAWSCLI(t *testing.T) {
	t.Parallel()
	exerciseAll(t, "aws-cli", awsCLI)
}

// TestAWSCLIRegion: aws-cli that signs for another region finds the right one by
// the errors, those of HEAD included, with which its download begins.
func TestAWSCLIRegion(t *testing.T) {
	t.Parallel()
	elsewhere := plain
	elsewhere.region = "eu-west-1"
	found := awsCLI(t.Context(), elsewhere)
	if len(found) == 0 {
		t.Skip("this machine has no aws-cli; TestAWSCLI minds in CI")
	}
	for _, c := range found {
		e := newExercise(t, c, plain)
		if _, err := sdk(plain).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &e.bucket}); err != nil {
			t.Fatal(err)
		}
		file, back := filepath.Join(e.dir, "small"), filepath.Join(e.dir, "back")
		makeFile(t, file, 70_000, e.seed)
		e.must(t, "put", args{bucket: e.bucket, key: "k", file: file})
		e.must(t, "get", args{bucket: e.bucket, key: "k", file: back})
		same(t, "got", fileDigest(t, file), fileDigest(t, back))
	}
}

// s3cmdVerbs are the verbs of s3cmd. It presigns with signature version 2 only,
// see TestS3cmdSignatureV2. It copies the access control list too, which S3 refuses
// where lists are disabled, as in every new bucket; --acl-private has it not try.
var s3cmdVerbs = verbs{
	"make":     "mb s3://{bucket}",
	"put":      "put {file} s3://{bucket}/{key}",
	"get":      "get --force s3://{bucket}/{key} {file}",
	"resume":   "get --continue s3://{bucket}/{key} {file}",
	"list":     "ls --recursive s3://{bucket}",
	"copy":     "cp --acl-private s3://{bucket}/{from} s3://{bucket}/{key}",
	"delete":   "del s3://{bucket}/{key}",
	"upload":   "put --recursive {file}/ s3://{bucket}/{key}/",
	"download": "sync s3://{bucket}/{key}/ {file}/",
	"mirror":   "sync --delete-removed {file}/ s3://{bucket}/{key}/",
	"reflect":  "sync --delete-removed s3://{bucket}/{key}/ {file}/",
	"sign-v2":  "signurl s3://{bucket}/{key} +3600",
	"clear":    "rb --recursive --force s3://{bucket}",
}

// s3cmd is the s3cmd of this machine.
func s3cmd(ctx context.Context, at endpoint) []client {
	scheme, host, _ := strings.Cut(at.url, "://")
	program := []string{
		"s3cmd", "--config", os.DevNull, "--no-progress",
		"--access_key", at.accessKey, "--secret_key", at.secretKey, "--host", host, "--host-bucket", host,
	}
	if scheme == "http" {
		program = append(program, "--no-ssl")
	} else {
		program = append(program, "--ssl", "--ca-certs", at.ca)
	}
	return installed(ctx, command{
		name:    "s3cmd",
		program: program,
		version: []string{"s3cmd", "--version"},
		env:     []string{"LC_ALL=C.UTF-8"},
		verbs:   s3cmdVerbs,
	})
}

func TestS3cmd(t *testing.T) {
	t.Parallel()
	exerciseAll(t, "s3cmd", s3cmd)
}

// TestS3cmdSignatureV2: s3cmd signs URLs with signature version 2, which AWS has
// retired and we do not take. Its user is told so.
func TestS3cmdSignatureV2(t *testing.T) {
	t.Parallel()
	clients := s3cmd(t.Context(), plain)
	if len(clients) == 0 {
		t.Skip("this machine has no s3cmd; TestS3cmd minds in CI")
	}
	signed := clients[0].must(t, "sign-v2", args{bucket: "bucket", key: "key"})
	if !strings.Contains(signed, "AWSAccessKeyId=") {
		t.Fatalf("%s is not of signature version 2: s3cmd can presign now", signed)
	}
	status, answer := fetch(t, http.MethodGet, signed, nil)
	if status < 400 || status > 499 || errorCode(answer) == "" {
		t.Errorf("got %d %s, want an S3 error", status, answer)
	}
}

// rcloneVerbs are the verbs of rclone. Parts begin at 8 MiB, as with the others.
var rcloneVerbs = verbs{
	"make":     "mkdir s3:{bucket}",
	"put":      "copyto {file} s3:{bucket}/{key}",
	"get":      "copyto s3:{bucket}/{key} {file}",
	"list":     "lsf --recursive --files-only --s3-list-chunk 7 s3:{bucket}",
	"copy":     "copyto s3:{bucket}/{from} s3:{bucket}/{key}",
	"delete":   "deletefile s3:{bucket}/{key}",
	"upload":   "copy {file} s3:{bucket}/{key}",
	"download": "sync s3:{bucket}/{key} {file}",
	"mirror":   "sync {file} s3:{bucket}/{key}",
	"reflect":  "sync s3:{bucket}/{key} {file}",
	"check":    "check {file} s3:{bucket}/{key}",
	"sign-get": "link --expire 1h s3:{bucket}/{key}",
	"clear":    "purge s3:{bucket}",
}

// rclone is the rclone of this machine, configured by its environment.
func rclone(ctx context.Context, at endpoint) []client {
	return installed(ctx, command{
		name:    "rclone",
		program: []string{"rclone", "--s3-upload-cutoff", "8Mi", "--s3-chunk-size", "8Mi", "--s3-copy-cutoff", "8Mi"},
		version: []string{"rclone", "version"},
		env: []string{
			"RCLONE_CONFIG=" + os.DevNull,
			"RCLONE_CA_CERT=" + at.ca,
			"RCLONE_CONFIG_S3_TYPE=s3",
			"RCLONE_CONFIG_S3_PROVIDER=Other",
			"RCLONE_CONFIG_S3_REGION=us-east-1",
			"RCLONE_CONFIG_S3_ENDPOINT=" + at.url,
			"RCLONE_CONFIG_S3_ACCESS_KEY_ID=" + at.accessKey,
			"RCLONE_CONFIG_S3_SECRET_ACCESS_KEY=" + at.secretKey,
			"LC_ALL=C.UTF-8",
		},
		verbs: rcloneVerbs,
	})
}

func TestRclone(t *testing.T) {
	t.Parallel()
	exerciseAll(t, "rclone", rclone)
}
