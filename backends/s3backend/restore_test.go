package s3backend

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// restore asks for a restore.
func (f *faulty) restore() (*backends.Restoring, error) {
	return f.RestoreObject(f.Context(), &s3.RestoreObjectInput{
		Bucket: bucket, Key: key, VersionId: new("v1"),
		RestoreRequest: &types.RestoreRequest{Days: aws.Int32(2), GlacierJobParameters: &types.GlacierJobParameters{Tier: types.TierBulk}},
	})
}

// TestRestore: what a service with archives answers. The status says whether a restore has begun.
func TestRestore(t *testing.T) {
	t.Parallel()
	f := func(status int, begun bool) {
		t.Helper()
		s := newFaulty(t, answer(status, ""))
		out, err := s.restore()
		if err != nil || out.Begun != begun || s.requests.Load() != 1 {
			t.Errorf("%d: %+v, %v after %d requests", status, out, err, s.requests.Load())
		}
	}
	f(http.StatusAccepted, true)
	f(http.StatusOK, false)

	refused := func(status int, body string, code s3err.Code) {
		t.Helper()
		s := newFaulty(t, answer(status, body))
		_, err := s.restore()
		s.refused(err, code)
	}
	refused(409, document("RestoreAlreadyInProgress"), s3err.RestoreAlreadyInProgress)
	refused(503, document("GlacierExpeditedRetrievalNotAvailable"), s3err.ExpeditedNotAvailable)
	refused(403, document("ObjectAlreadyInActiveTierError"), s3err.ObjectAlreadyInActiveTier)
	refused(404, document("NoSuchKey"), s3err.NoSuchKey)
	refused(400, document("MalformedXML"), s3err.MalformedXML)
	refused(403, document("InvalidObjectState"), s3err.InvalidObjectState)
	refused(403, document("AccessDenied"), s3err.BadGateway)
}

// TestRestoreOnce: a restore that may have begun is not asked for again, which would answer that it is in progress.
func TestRestoreOnce(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, answer(500, document("InternalError")))
	_, err := s.restore()
	s.refused(err, s3err.InternalError)
	if n := s.requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestNoArchives: a service that does not know the operation can have nothing to restore.
func TestNoArchives(t *testing.T) {
	t.Parallel()
	f := func(head int, code s3err.Code) {
		t.Helper()
		s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				answer(501, document("NotImplemented"))(w, r)
				return
			}
			w.Header().Set("Content-Length", "1")
			w.Header().Set("ETag", `"e"`)
			w.Header().Set("Last-Modified", "Fri, 21 Dec 2012 00:00:00 GMT")
			status := head
			if !strings.HasSuffix(r.URL.Path, *key) {
				status = http.StatusOK // The bucket is there.
			}
			answer(status, "")(w, r)
		})
		_, err := s.restore()
		s.refused(err, code)
	}
	f(200, s3err.InvalidObjectState)
	f(404, s3err.NoSuchVersion)
}

// TestArchived: of an object that is to be restored first, a client learns where it is.
func TestArchived(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, answer(403, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidObjectState</Code>`+
		`<Message>physical-key is cold</Message><StorageClass>INTELLIGENT_TIERING</StorageClass><AccessTier>DEEP_ARCHIVE_ACCESS</AccessTier></Error>`))
	_, err := s.getBody()
	s.refused(err, s3err.InvalidObjectState)
	want := []s3err.Detail{{Name: "StorageClass", Value: "INTELLIGENT_TIERING"}, {Name: "AccessTier", Value: "DEEP_ARCHIVE_ACCESS"}}
	if d := s3err.From(err).Details; len(d) != 2 || d[0] != want[0] || d[1] != want[1] {
		t.Errorf("details: %v", d)
	}
	s = newFaulty(t, answer(403, document("ObjectNotInActiveTierError")))
	_, err = s.CopyObject(t.Context(), backends.CopySource{Bucket: *bucket, Key: *key}, &s3.CopyObjectInput{Bucket: bucket, Key: new("to")})
	s.refused(err, s3err.ObjectNotInActiveTier)
}

// TestRestoreStatus: listings pass on what is asked for besides the usual, and what is told.
func TestRestoreStatus(t *testing.T) {
	t.Parallel()
	s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
		status := ""
		if r.Header.Get("X-Amz-Optional-Object-Attributes") == "RestoreStatus" {
			status = "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"
		}
		answer(200, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key>`+
			`<StorageClass>GLACIER</StorageClass>`+status+`</Contents></ListBucketResult>`)(w, r)
	})
	f := func(told bool, want ...types.OptionalObjectAttributes) {
		t.Helper()
		out, err := s.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket, OptionalObjectAttributes: want})
		if err != nil || len(out.Contents) != 1 || (out.Contents[0].RestoreStatus != nil) != told {
			t.Errorf("%v: %+v, %v", want, out, err)
		}
	}
	f(true, types.OptionalObjectAttributesRestoreStatus)
	f(false)
}
