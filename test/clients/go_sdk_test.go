package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// goSDK does the verbs with the AWS SDK for Go and its transfer manager, with
// their defaults.
type goSDK struct {
	s3       *s3.Client
	transfer *transfermanager.Client
}

func TestGoSDK(t *testing.T) {
	t.Parallel()
	exerciseAll(t, "Go SDK", func(_ context.Context, at endpoint) []client {
		g := goSDK{s3: sdk(at), transfer: transfermanager.New(sdk(at))}
		return []client{{
			name:    "go",
			version: "aws-sdk-go-v2 " + aws.SDKVersion,
			cannot:  []string{"...", "..a"}, // the transfer manager takes them for ways out of the directory
			has:     func(verb string) bool { return g.verb(verb) != nil },
			do: func(ctx context.Context, verb string, a args) (string, error) {
				return g.verb(verb)(ctx, a)
			},
		}}
	})
}

// verb is the function for a verb, nil when there is none.
func (g goSDK) verb(name string) func(context.Context, args) (string, error) {
	return map[string]func(context.Context, args) (string, error){
		"make":      g.makeBucket,
		"put":       g.put,
		"get":       g.get,
		"resume":    g.resume,
		"list":      g.list,
		"copy":      g.copyObject,
		"delete":    g.deleteObject,
		"upload":    g.upload,
		"download":  g.download,
		"sign-get":  g.signGet,
		"sign-put":  g.signPut,
		"sign-post": g.signPost,
		"wait":      g.wait,
		"pages":     g.listings,
		"transfer":  g.transfers,
		"clear":     g.clearBucket,
	}[name]
}

func (g goSDK) makeBucket(ctx context.Context, a args) (string, error) {
	_, err := g.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &a.bucket})
	return "", err
}

func (g goSDK) put(ctx context.Context, a args) (string, error) {
	f, err := os.Open(a.file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = g.transfer.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &a.bucket, Key: &a.key, Body: f})
	return "", err
}

func (g goSDK) get(ctx context.Context, a args) (string, error) {
	f, err := os.Create(a.file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = g.transfer.DownloadObject(ctx, &transfermanager.DownloadObjectInput{Bucket: &a.bucket, Key: &a.key, WriterAt: f})
	return "", err
}

// pages calls page with seven keys at a time.
func (g goSDK) pages(ctx context.Context, bucket string, page func(keys []types.ObjectIdentifier) error) error {
	pages := s3.NewListObjectsV2Paginator(g.s3, &s3.ListObjectsV2Input{Bucket: &bucket, MaxKeys: aws.Int32(7)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var keys []types.ObjectIdentifier
		for _, object := range out.Contents {
			keys = append(keys, types.ObjectIdentifier{Key: object.Key})
		}
		if err := page(keys); err != nil {
			return err
		}
	}
	return nil
}

func (g goSDK) list(ctx context.Context, a args) (string, error) {
	var b strings.Builder
	err := g.pages(ctx, a.bucket, func(keys []types.ObjectIdentifier) error {
		for _, id := range keys {
			fmt.Fprintln(&b, *id.Key)
		}
		return nil
	})
	return b.String(), err
}

func (g goSDK) copyObject(ctx context.Context, a args) (string, error) {
	// The caller encodes a copy source; the SDK sends it as it stands.
	source := strings.ReplaceAll(url.QueryEscape(a.bucket+"/"+a.from), "+", "%20")
	_, err := g.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &a.bucket, Key: &a.key, CopySource: &source})
	return "", err
}

func (g goSDK) deleteObject(ctx context.Context, a args) (string, error) {
	_, err := g.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &a.bucket, Key: &a.key})
	return "", err
}

func (g goSDK) upload(ctx context.Context, a args) (string, error) {
	_, err := g.transfer.UploadDirectory(ctx, &transfermanager.UploadDirectoryInput{
		Bucket: &a.bucket, Source: &a.file, KeyPrefix: &a.key, Recursive: aws.Bool(true),
	})
	return "", err
}

func (g goSDK) download(ctx context.Context, a args) (string, error) {
	_, err := g.transfer.DownloadDirectory(ctx, &transfermanager.DownloadDirectoryInput{
		Bucket: &a.bucket, KeyPrefix: aws.String(a.key + "/"), Destination: &a.file,
	})
	return "", err
}

// signPost has no fields beside those of the SDK, whose conditions do not mention others.
func (g goSDK) signPost(ctx context.Context, a args) (string, error) {
	r, err := s3.NewPresignClient(g.s3).PresignPostObject(ctx, &s3.PutObjectInput{Bucket: &a.bucket, Key: &a.key}, func(o *s3.PresignPostOptions) {
		o.Conditions = []any{[]any{"content-length-range", 1, 1 << 20}}
	})
	if err != nil {
		return "", err
	}
	out, err := json.Marshal(map[string]any{"url": r.URL, "fields": r.Values})
	return string(out), err
}

func (g goSDK) signGet(ctx context.Context, a args) (string, error) {
	r, err := s3.NewPresignClient(g.s3).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &a.bucket, Key: &a.key})
	if err != nil {
		return "", err
	}
	return r.URL, nil
}

func (g goSDK) signPut(ctx context.Context, a args) (string, error) {
	r, err := s3.NewPresignClient(g.s3).PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &a.bucket, Key: &a.key})
	if err != nil {
		return "", err
	}
	return r.URL, nil
}

func (g goSDK) clearBucket(ctx context.Context, a args) (string, error) {
	err := g.pages(ctx, a.bucket, func(keys []types.ObjectIdentifier) error {
		if len(keys) == 0 {
			return nil
		}
		out, err := g.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &a.bucket, Delete: &types.Delete{Objects: keys}})
		if err == nil && len(out.Errors) > 0 {
			err = fmt.Errorf("DeleteObjects: %s: %s", *out.Errors[0].Key, *out.Errors[0].Message)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	_, err = g.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &a.bucket})
	return "", err
}
