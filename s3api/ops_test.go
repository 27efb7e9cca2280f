package s3api

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// notREST are methods of the SDK client that are no operations of S3.
var notREST = []string{"Options"}

// postObject is an operation of the API reference that the SDK has no call for.
const postObject = "PostObject"

// TestTableIsComplete holds the table against the operations of the SDK.
func TestTableIsComplete(t *testing.T) {
	var sdk []string
	client := reflect.TypeFor[*s3.Client]()
	for m := range client.Methods() {
		if !slices.Contains(notREST, m.Name) {
			sdk = append(sdk, m.Name)
		}
	}
	var table []string
	for _, op := range operations {
		if op.name != postObject {
			table = append(table, op.name)
		}
	}
	for _, name := range sdk {
		if !slices.Contains(table, name) {
			t.Errorf("the table lacks %s", name)
		}
	}
	for _, name := range table {
		if !slices.Contains(sdk, name) {
			t.Errorf("the SDK has no %s", name)
		}
	}
	if !slices.IsSorted(table) {
		t.Error("the table is not in the order of the API reference")
	}
}

// TestMatchFindsEachOperation builds the request that selects a row, and
// expects that row.
func TestMatchFindsEachOperation(t *testing.T) {
	for i := range operations {
		op := &operations[i]
		c := &call{method: op.method, scope: op.scope.path()}
		for s := range strings.SplitSeq(op.query, "&") {
			if name, value, _ := strings.Cut(s, "="); name != "" {
				c.query = append(c.query, param{name, value})
			}
		}
		if op.header != "" {
			c.headers = append(c.headers, header(op.header, "x"))
		}
		got, err := ops.match(c)
		if err != nil || got != op {
			t.Errorf("%s: matched %v, %v", op.name, got, err)
		}
	}
}

// TestMatch has the cases that the order of candidates decides.
func TestMatch(t *testing.T) {
	f := func(method string, s scope, query, headerName, want string) {
		t.Helper()
		c := &call{method: method, scope: s, rawQuery: query}
		if err := c.parseQuery(); err != nil {
			t.Fatal(err)
		}
		if headerName != "" {
			c.headers = append(c.headers, header(headerName, "x"))
		}
		op, err := ops.match(c)
		if want == "" {
			if !s3err.Is(err, s3err.MethodNotAllowed) {
				t.Errorf("%s %s: %v, %v; want MethodNotAllowed", method, query, op, err)
			}
			return
		}
		if err != nil || op.name != want {
			t.Errorf("%s %s: %v, %v; want %s", method, query, op, err, want)
		}
	}
	f("PUT", onObject, "", "", "PutObject")
	f("PUT", onObject, "", "x-amz-copy-source", "CopyObject")
	f("PUT", onObject, "partNumber=1&uploadId=u", "X-AMZ-COPY-SOURCE", "UploadPartCopy")
	f("PUT", onObject, "uploadId=u&partNumber=1", "", "UploadPart")
	f("GET", onObject, "partNumber=1", "", "GetObject")
	f("GET", onObject, "uploadId=u", "", "ListParts")
	f("GET", onObject, "x-id=GetObject", "", "GetObject")
	f("GET", onBucket, "list-type=2", "", "ListObjectsV2")
	f("GET", onBucket, "list-type=1", "", "ListObjects")
	f("GET", onBucket, "prefix=tagging", "", "ListObjects")
	f("GET", onBucket, "analytics", "", "ListBucketAnalyticsConfigurations")
	f("GET", onBucket, "analytics&id=1", "", "GetBucketAnalyticsConfiguration")
	f("PUT", onBucket, "", "", "CreateBucket")
	f("PUT", onBucket, "location", "", "")
	f("DELETE", onBucket, "versions", "", "")
	f("DELETE", onService, "", "", "")
	f("PATCH", onObject, "", "", "")
	f("POST", onObject, "", "", "")
}

// TestTranscripts: each operation that works has a transcript of its success
// and one of its errors.
func TestTranscripts(t *testing.T) {
	for i := range operations {
		if operations[i].handle == nil {
			continue
		}
		names := []string{"success", "errors"}
		if _, ok := unsets[operations[i].name]; ok {
			names = []string{"unset"}
		}
		for _, name := range names {
			file := filepath.Join("testdata", "wire", operations[i].name, name+".txtar")
			if _, err := os.Stat(file); err != nil {
				t.Error(err)
			}
		}
	}
}
