package upkeep_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// upload begins an upload of one part.
func (k *kept) upload(key, body string) *s3.CompleteMultipartUploadInput {
	k.Helper()
	u, _ := backends.As[backends.MultipartUploader](k.bucket)
	begun, err := u.CreateMultipartUpload(k.Context(), &s3.CreateMultipartUploadInput{Key: &key})
	if err != nil {
		k.Fatal(err)
	}
	part, err := u.UploadPart(k.Context(), &s3.UploadPartInput{
		Key: &key, UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
	})
	if err != nil {
		k.Fatal(err)
	}
	return &s3.CompleteMultipartUploadInput{Key: &key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
		Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}},
	}}
}

// complete completes an upload; it returns the code of the error.
func (k *kept) complete(in *s3.CompleteMultipartUploadInput) s3err.Code {
	u, _ := backends.As[backends.MultipartUploader](k.bucket)
	_, err := u.CompleteMultipartUpload(k.Context(), in)
	return codeOf(err)
}

// abort aborts an upload; it returns the code of the error.
func (k *kept) abort(in *s3.CompleteMultipartUploadInput) s3err.Code {
	u, _ := backends.As[backends.MultipartUploader](k.bucket)
	_, err := u.AbortMultipartUpload(k.Context(), &s3.AbortMultipartUploadInput{Key: in.Key, UploadId: in.UploadId})
	return codeOf(err)
}

// codeOf is the code of an error; empty when there is none.
func codeOf(err error) s3err.Code {
	if err == nil {
		return ""
	}
	return s3err.From(err).Code
}

// slots are the numbers of the slots of an object.
func (k *kept) slots(key string) string {
	k.Helper()
	list, err := k.Index.Slots(k.Context(), versions.Slot{Object: k.Object(key)}, 100)
	if err != nil {
		k.Fatal(err)
	}
	var ns []int64
	for _, s := range list {
		if s.Key == key {
			ns = append(ns, s.N)
		}
	}
	return fmt.Sprint(ns)
}

// TestSweepAborted: of an upload that was aborted nothing stays, but for the last number of an object. One that was not is
// waited for.
func TestSweepAborted(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	aborted, waits := k.upload("a", "1"), k.upload("a", "2")
	last := k.upload("b", "1")
	for _, u := range []*s3.CompleteMultipartUploadInput{aborted, last} {
		k.want("aborted", string(k.abort(u)), "")
		k.want("aborted again", string(k.abort(u)), string(s3err.NoSuchUpload))
		k.want("and again", string(k.abort(u)), string(s3err.NoSuchUpload))
	}
	k.put("a", "3")
	k.now = k.now.Add(versions.KeepDead - time.Minute)
	k.want("too young", gocmp.Diff(upkeep.Swept{}, k.sweep(time.Time{})), "")
	k.want("slots", k.slots("a"), "[0 1 2]")
	k.now = k.now.Add(time.Hour)
	k.want("old", gocmp.Diff(upkeep.Swept{Slots: 1}, k.sweep(time.Time{})), "")
	k.want("slots", k.slots("a")+k.slots("b"), "[1 2][0]")
	k.want("completed", string(k.complete(waits)), "")
	k.want("a", k.get("a"), "2")
	k.put("b", "2")
	k.want("again", gocmp.Diff(upkeep.Swept{Slots: 1}, k.sweep(time.Time{})), "")
	k.want("slots", k.slots("a")+k.slots("b"), "[1 2][1]")
	k.want("verify", k.verify(false), "")
}

// TestSweepRefused: an upload whose version was refused can be completed or aborted until its body is collected.
func TestSweepRefused(t *testing.T) {
	t.Parallel()
	x := &committing{Index: memindex.New()}
	k := open(t, func(o *versioned.Options) { o.Index = x })
	u := k.upload("a", "1")
	u.IfNoneMatch = new("*")
	x.before = func() { k.put("a", "2") }
	k.want("refused", string(k.complete(u)), string(s3err.PreconditionFailed))
	k.want("stored", k.stored(), "plain/a versions/.content/a/v0 versions/.content/a/v1")
	k.want("aborted", string(k.abort(u)), "")
	k.want("aborted again", string(k.abort(u)), "")
	k.now = k.now.Add(versions.KeepDead)
	k.want("swept", gocmp.Diff(upkeep.Swept{Bodies: 1, Slots: 1}, k.sweep(time.Time{})), "")
	k.want("aborted after that", string(k.abort(u)), string(s3err.NoSuchUpload))
	k.want("a", k.get("a"), "2")
	k.want("verify", k.verify(false), "")
}
