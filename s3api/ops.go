package s3api

import (
	"strings"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// scope is what the path of an operation names.
type scope int

const (
	onService   scope = iota // "/"
	onBucket                 // "/bucket"
	onObject                 // "/bucket/key"
	onNewBucket              // "/bucket" that need not exist
	onKeys                   // "/bucket", with keys of it in the body
	onForm                   // "/bucket", with the key in a form that the body is
)

// path is what a path itself can say of s.
func (s scope) path() scope {
	if s == onNewBucket || s == onKeys || s == onForm {
		return onBucket
	}
	return s
}

// operation is one row of the S3 API reference.
type operation struct {
	name   string                     // "GetObject": metrics, logs, README and transcripts use it
	method string                     // HTTP method
	scope  scope                      // what the path names
	query  string                     // subresources that select it: "uploads", "list-type=2", "uploadId&partNumber"
	header string                     // header that selects it
	action router.Action              // what the identity must be allowed; empty: the operation asks itself
	handle func(*Server, *call) error // nil: known to us, answered with NotImplemented
}

// operations is every operation of the S3 API, in the order of its reference.
// This table is the policy: what is routed where, and what it needs.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
var operations = []operation{
	{"AbortMultipartUpload", "DELETE", onObject, "uploadId", "", router.Write, (*Server).abortMultipartUpload},
	{"CompleteMultipartUpload", "POST", onObject, "uploadId", "", router.Write, (*Server).completeMultipartUpload},
	{"CopyObject", "PUT", onObject, "", "X-Amz-Copy-Source", router.Write, (*Server).copyObject},
	{"CreateBucket", "PUT", onNewBucket, "", "", router.Admin, (*Server).createBucket},
	{"CreateBucketMetadataConfiguration", "POST", onBucket, "metadataConfiguration", "", router.Admin, nil},
	{"CreateBucketMetadataTableConfiguration", "POST", onBucket, "metadataTable", "", router.Admin, nil},
	{"CreateMultipartUpload", "POST", onObject, "uploads", "", router.Write, (*Server).createMultipartUpload},
	{"CreateSession", "GET", onBucket, "session", "", router.Read, nil},
	{"DeleteBucket", "DELETE", onBucket, "", "", router.Admin, (*Server).deleteBucket},
	{"DeleteBucketAnalyticsConfiguration", "DELETE", onBucket, "analytics", "", router.Admin, (*Server).unset},
	{"DeleteBucketCors", "DELETE", onBucket, "cors", "", router.Admin, (*Server).deleteBucketCors},
	{"DeleteBucketEncryption", "DELETE", onBucket, "encryption", "", router.Admin, (*Server).deleteBucketEncryption},
	{"DeleteBucketIntelligentTieringConfiguration", "DELETE", onBucket, "intelligent-tiering", "", router.Admin, (*Server).unset},
	{"DeleteBucketInventoryConfiguration", "DELETE", onBucket, "inventory", "", router.Admin, (*Server).unset},
	{"DeleteBucketLifecycle", "DELETE", onBucket, "lifecycle", "", router.Admin, (*Server).unset},
	{"DeleteBucketMetadataConfiguration", "DELETE", onBucket, "metadataConfiguration", "", router.Admin, (*Server).unset},
	{"DeleteBucketMetadataTableConfiguration", "DELETE", onBucket, "metadataTable", "", router.Admin, (*Server).unset},
	{"DeleteBucketMetricsConfiguration", "DELETE", onBucket, "metrics", "", router.Admin, (*Server).unset},
	{"DeleteBucketOwnershipControls", "DELETE", onBucket, "ownershipControls", "", router.Admin, nil},
	{"DeleteBucketPolicy", "DELETE", onBucket, "policy", "", router.Admin, (*Server).unset},
	{"DeleteBucketReplication", "DELETE", onBucket, "replication", "", router.Admin, (*Server).unset},
	{"DeleteBucketTagging", "DELETE", onBucket, "tagging", "", router.Admin, (*Server).deleteBucketTagging},
	{"DeleteBucketWebsite", "DELETE", onBucket, "website", "", router.Admin, (*Server).unset},
	{"DeleteObject", "DELETE", onObject, "", "", router.Delete, (*Server).deleteObject},
	{"DeleteObjectAnnotation", "DELETE", onObject, "annotation", "", router.Write, nil},
	{"DeleteObjectTagging", "DELETE", onObject, "tagging", "", router.Write, (*Server).deleteObjectTagging},
	{"DeleteObjects", "POST", onKeys, "delete", "", router.Delete, (*Server).deleteObjects},
	{"DeletePublicAccessBlock", "DELETE", onBucket, "publicAccessBlock", "", router.Admin, nil},
	{"GetBucketAbac", "GET", onBucket, "abac", "", router.Admin, (*Server).unset},
	{"GetBucketAccelerateConfiguration", "GET", onBucket, "accelerate", "", router.Admin, (*Server).unset},
	{"GetBucketAcl", "GET", onBucket, "acl", "", router.Admin, (*Server).getBucketACL},
	{"GetBucketAnalyticsConfiguration", "GET", onBucket, "analytics&id", "", router.Admin, (*Server).unset},
	{"GetBucketCors", "GET", onBucket, "cors", "", router.Admin, (*Server).getBucketCors},
	{"GetBucketEncryption", "GET", onBucket, "encryption", "", router.Admin, (*Server).getBucketEncryption},
	{"GetBucketIntelligentTieringConfiguration", "GET", onBucket, "intelligent-tiering&id", "", router.Admin, (*Server).unset},
	{"GetBucketInventoryConfiguration", "GET", onBucket, "inventory&id", "", router.Admin, (*Server).unset},
	{"GetBucketLifecycleConfiguration", "GET", onBucket, "lifecycle", "", router.Admin, (*Server).unset},
	{"GetBucketLocation", "GET", onBucket, "location", "", router.List, (*Server).getBucketLocation},
	{"GetBucketLogging", "GET", onBucket, "logging", "", router.Admin, (*Server).unset},
	{"GetBucketMetadataConfiguration", "GET", onBucket, "metadataConfiguration", "", router.Admin, (*Server).unset},
	{"GetBucketMetadataTableConfiguration", "GET", onBucket, "metadataTable", "", router.Admin, (*Server).unset},
	{"GetBucketMetricsConfiguration", "GET", onBucket, "metrics&id", "", router.Admin, (*Server).unset},
	{"GetBucketNotificationConfiguration", "GET", onBucket, "notification", "", router.Admin, (*Server).unset},
	{"GetBucketOwnershipControls", "GET", onBucket, "ownershipControls", "", router.Admin, (*Server).unset},
	{"GetBucketPolicy", "GET", onBucket, "policy", "", router.Admin, (*Server).unset},
	{"GetBucketPolicyStatus", "GET", onBucket, "policyStatus", "", router.Admin, (*Server).unset},
	{"GetBucketReplication", "GET", onBucket, "replication", "", router.Admin, (*Server).unset},
	{"GetBucketRequestPayment", "GET", onBucket, "requestPayment", "", router.Admin, (*Server).unset},
	{"GetBucketTagging", "GET", onBucket, "tagging", "", router.Admin, (*Server).getBucketTagging},
	{"GetBucketVersioning", "GET", onBucket, "versioning", "", router.List, (*Server).getBucketVersioning},
	{"GetBucketWebsite", "GET", onBucket, "website", "", router.Admin, (*Server).unset},
	{"GetObject", "GET", onObject, "", "", router.Read, (*Server).getObject},
	{"GetObjectAcl", "GET", onObject, "acl", "", router.Read, (*Server).getObjectACL},
	{"GetObjectAnnotation", "GET", onObject, "annotation&annotationName", "", router.Read, nil},
	{"GetObjectAttributes", "GET", onObject, "attributes", "", router.Read, (*Server).getObjectAttributes},
	{"GetObjectLegalHold", "GET", onObject, "legal-hold", "", router.Read, (*Server).getObjectLegalHold},
	{"GetObjectLockConfiguration", "GET", onBucket, "object-lock", "", router.Admin, (*Server).getObjectLockConfiguration},
	{"GetObjectRetention", "GET", onObject, "retention", "", router.Read, (*Server).getObjectRetention},
	{"GetObjectTagging", "GET", onObject, "tagging", "", router.Read, (*Server).getObjectTagging},
	{"GetObjectTorrent", "GET", onObject, "torrent", "", router.Read, nil},
	{"GetPublicAccessBlock", "GET", onBucket, "publicAccessBlock", "", router.Admin, (*Server).unset},
	{"HeadBucket", "HEAD", onBucket, "", "", router.List, (*Server).headBucket},
	{"HeadObject", "HEAD", onObject, "", "", router.Read, (*Server).headObject},
	{"ListBucketAnalyticsConfigurations", "GET", onBucket, "analytics", "", router.Admin, (*Server).unset},
	{"ListBucketIntelligentTieringConfigurations", "GET", onBucket, "intelligent-tiering", "", router.Admin, (*Server).unset},
	{"ListBucketInventoryConfigurations", "GET", onBucket, "inventory", "", router.Admin, (*Server).unset},
	{"ListBucketMetricsConfigurations", "GET", onBucket, "metrics", "", router.Admin, (*Server).unset},
	{"ListBuckets", "GET", onService, "", "", "", (*Server).listBuckets},
	{"ListDirectoryBuckets", "GET", onService, "x-id=ListDirectoryBuckets", "", "", nil},
	{"ListMultipartUploads", "GET", onBucket, "uploads", "", router.List, (*Server).listMultipartUploads},
	{"ListObjectAnnotations", "GET", onObject, "annotation", "", router.Read, nil},
	{"ListObjectVersions", "GET", onBucket, "versions", "", router.List, (*Server).listObjectVersions},
	{"ListObjects", "GET", onBucket, "", "", router.List, (*Server).listObjects},
	{"ListObjectsV2", "GET", onBucket, "list-type=2", "", router.List, (*Server).listObjectsV2},
	{"ListParts", "GET", onObject, "uploadId", "", router.Read, (*Server).listParts},
	{"PostObject", "POST", onForm, "", "", router.Write, (*Server).postObject},
	{"PutBucketAbac", "PUT", onBucket, "abac", "", router.Admin, nil},
	{"PutBucketAccelerateConfiguration", "PUT", onBucket, "accelerate", "", router.Admin, nil},
	{"PutBucketAcl", "PUT", onBucket, "acl", "", router.Admin, (*Server).unset},
	{"PutBucketAnalyticsConfiguration", "PUT", onBucket, "analytics", "", router.Admin, nil},
	{"PutBucketCors", "PUT", onBucket, "cors", "", router.Admin, (*Server).putBucketCors},
	{"PutBucketEncryption", "PUT", onBucket, "encryption", "", router.Admin, (*Server).putBucketEncryption},
	{"PutBucketIntelligentTieringConfiguration", "PUT", onBucket, "intelligent-tiering", "", router.Admin, nil},
	{"PutBucketInventoryConfiguration", "PUT", onBucket, "inventory", "", router.Admin, nil},
	{"PutBucketLifecycleConfiguration", "PUT", onBucket, "lifecycle", "", router.Admin, nil},
	{"PutBucketLogging", "PUT", onBucket, "logging", "", router.Admin, nil},
	{"PutBucketMetricsConfiguration", "PUT", onBucket, "metrics", "", router.Admin, nil},
	{"PutBucketNotificationConfiguration", "PUT", onBucket, "notification", "", router.Admin, nil},
	{"PutBucketOwnershipControls", "PUT", onBucket, "ownershipControls", "", router.Admin, nil},
	{"PutBucketPolicy", "PUT", onBucket, "policy", "", router.Admin, nil},
	{"PutBucketReplication", "PUT", onBucket, "replication", "", router.Admin, nil},
	{"PutBucketRequestPayment", "PUT", onBucket, "requestPayment", "", router.Admin, (*Server).putBucketRequestPayment},
	{"PutBucketTagging", "PUT", onBucket, "tagging", "", router.Admin, (*Server).putBucketTagging},
	{"PutBucketVersioning", "PUT", onBucket, "versioning", "", router.Admin, (*Server).putBucketVersioning},
	{"PutBucketWebsite", "PUT", onBucket, "website", "", router.Admin, nil},
	{"PutObject", "PUT", onObject, "", "", router.Write, (*Server).putObject},
	{"PutObjectAcl", "PUT", onObject, "acl", "", router.Write, (*Server).unset},
	{"PutObjectAnnotation", "PUT", onObject, "annotation", "", router.Write, nil},
	{"PutObjectLegalHold", "PUT", onObject, "legal-hold", "", router.Write, (*Server).putObjectLegalHold},
	{"PutObjectLockConfiguration", "PUT", onBucket, "object-lock", "", router.Admin, (*Server).putObjectLockConfiguration},
	{"PutObjectRetention", "PUT", onObject, "retention", "", router.Write, (*Server).putObjectRetention},
	{"PutObjectTagging", "PUT", onObject, "tagging", "", router.Write, (*Server).putObjectTagging},
	{"PutPublicAccessBlock", "PUT", onBucket, "publicAccessBlock", "", router.Admin, nil},
	{"RenameObject", "PUT", onObject, "renameObject", "", router.Write, (*Server).renameObject},
	{"RestoreObject", "POST", onObject, "restore", "", router.Write, (*Server).restoreObject},
	{"SelectObjectContent", "POST", onObject, "select&select-type=2", "", router.Read, nil},
	{"UpdateBucketMetadataAnnotationTableConfiguration", "PUT", onBucket, "metadataAnnotationTable", "", router.Admin, nil},
	{"UpdateBucketMetadataInventoryTableConfiguration", "PUT", onBucket, "metadataInventoryTable", "", router.Admin, nil},
	{"UpdateBucketMetadataJournalTableConfiguration", "PUT", onBucket, "metadataJournalTable", "", router.Admin, nil},
	{"UpdateObjectEncryption", "PUT", onObject, "encryption", "", router.Write, nil},
	{"UploadPart", "PUT", onObject, "uploadId&partNumber", "", router.Write, (*Server).uploadPart},
	{"UploadPartCopy", "PUT", onObject, "uploadId&partNumber", "X-Amz-Copy-Source", router.Write, (*Server).uploadPartCopy},
	{"WriteGetObjectResponse", "POST", onService, "x-id=WriteGetObjectResponse", "", "", nil},
}

// need is one query parameter that an operation is selected by, with the
// value it must have, if any.
type need struct {
	name, value string
}

// candidate is an operation with its selector split up.
type candidate struct {
	op    *operation
	needs []need
}

// weight orders candidates: more selectors first.
func (c candidate) weight() int {
	n := 2 * len(c.needs)
	if c.op.header != "" {
		n++
	}
	return n
}

// matcher is the table arranged for lookup.
type matcher struct {
	byTarget     map[target][]candidate // most specific first
	subresources map[need]scope         // parameters that name something of S3's
}

// target is a method on a kind of path.
type target struct {
	method string
	scope  scope
}

// ops finds the operation of a request; built once from the table.
var ops = newMatcher(operations)

func newMatcher(table []operation) *matcher {
	m := &matcher{byTarget: map[target][]candidate{}, subresources: map[need]scope{}}
	for i := range table {
		op := &table[i]
		c := candidate{op: op}
		if op.query != "" {
			for _, s := range strings.Split(op.query, "&") {
				name, value, _ := strings.Cut(s, "=")
				c.needs = append(c.needs, need{name, value})
			}
			if first := c.needs[0]; first.value == "" {
				m.subresources[need{name: first.name}] |= 1 << op.scope.path()
			}
		}
		t := target{op.method, op.scope.path()}
		list := m.byTarget[t]
		at := 0
		for at < len(list) && list[at].weight() >= c.weight() {
			at++
		}
		list = append(list, candidate{})
		copy(list[at+1:], list[at:])
		list[at] = c
		m.byTarget[t] = list
	}
	return m
}

// match finds the operation of c. A method that S3 does not have on a
// subresource is MethodNotAllowed, not the operation on the whole.
func (m *matcher) match(c *call) (*operation, error) {
	if c.method == preflight.method && c.scope != onService {
		return preflight, nil
	}
	for _, cand := range m.byTarget[target{c.method, c.scope}] {
		if !cand.matches(c) {
			continue
		}
		if len(cand.needs) == 0 && m.namesSubresource(c) {
			break
		}
		return cand.op, nil
	}
	return nil, s3err.New(s3err.MethodNotAllowed).
		With("Method", c.method).With("ResourceType", c.resourceType())
}

// matches reports whether r has everything that selects the operation.
func (c candidate) matches(r *call) bool {
	for _, n := range c.needs {
		v, ok := r.query.lookup(n.name)
		if !ok || (n.value != "" && v != n.value) {
			return false
		}
	}
	return c.op.header == "" || r.hasHeader(c.op.header)
}

// namesSubresource reports whether a parameter of c selects some operation on
// this kind of path.
func (m *matcher) namesSubresource(c *call) bool {
	for _, p := range c.query {
		if m.subresources[need{name: p.name}]&(1<<c.scope) != 0 {
			return true
		}
	}
	return false
}

// allowed returns the methods that S3 has for what c names.
func (m *matcher) allowed(c *call) []string {
	var methods []string
	for _, method := range []string{"DELETE", "GET", "HEAD", "POST", "PUT"} {
		probe := call{method: method, scope: c.scope, query: c.query, headers: c.headers}
		if _, err := m.match(&probe); err == nil {
			methods = append(methods, method)
		}
	}
	return methods
}
