package s3servers

import (
	"maps"

	"github.com/xronox/xronox-proxy/backends/backendtest"
)

// Known is what the suite of stores must know of a server: facts about the pinned version.
type Known struct {
	Lacks map[backendtest.Ability]string
	Skip  map[string]string
}

// With is what must be known of a bucket on both servers.
func (k Known) With(o Known) Known {
	both := Known{Lacks: maps.Clone(k.Lacks), Skip: maps.Clone(k.Skip)}
	maps.Copy(both.Lacks, o.Lacks)
	maps.Copy(both.Skip, o.Skip)
	return both
}

// OfVersityGW is what is known of [VersityGW].
func OfVersityGW() Known {
	return Known{
		Lacks: map[backendtest.Ability]string{
			backendtest.ConditionalDelete: "versitygw 1.8.0 takes no If-Match: *, and deletes what is missing whatever If-Match says",
			backendtest.StorageClasses:    "versitygw 1.8.0 keeps no storage class",
			backendtest.PartChecksums:     "versitygw 1.8.0 shows no checksums of parts",
			backendtest.UploadOrder:       "versitygw 1.8.0 orders the uploads of a key by times that may be equal",
			backendtest.AtomicAbort:       "versitygw 1.8.0 removes the parts before the upload",
			backendtest.ManagedKeys:       "versitygw 1.8.0 does not encrypt, and says nothing",
			backendtest.KMSKeys:           "versitygw 1.8.0 does not encrypt, and says nothing",
			backendtest.CustomerKeys:      "versitygw 1.8.0 does not encrypt, and says nothing",
			backendtest.AllKeys:           "versitygw 1.8.0 keeps objects in files named as their keys",
		},
		Skip: map[string]string{
			"bucket/race":              "versitygw 1.8.0 loses writes to a DeleteBucket that runs at the same time",
			"concurrent/no-torn-reads": "versitygw 1.8.0 reads the ETag of one object and the body of the next",
			"tags/characters":          "versitygw 1.8.0 takes tags of ASCII, and not all of it",
			"multipart/complete-race":  "versitygw 1.8.0 says NoSuchUpload of an upload that is being completed, before the object is there",
			"uploads/markers":          "versitygw 1.8.0 refuses every UploadIdMarker: it has left out the uploads of KeyMarker before",
			"uploads/long-pages":       "versitygw 1.8.0 refuses every UploadIdMarker: it has left out the uploads of KeyMarker before",
			"uploads/pages":            "versitygw 1.8.0 refuses every UploadIdMarker: it has left out the uploads of KeyMarker before",
		},
	}
}

// OfMinIO is what is known of [MinIO].
func OfMinIO() Known {
	return Known{
		Lacks: map[backendtest.Ability]string{
			backendtest.ConditionalDelete: "MinIO of 2026-02-12 overlooks If-Match of DeleteObject",
			backendtest.DeleteIfUnchanged: "MinIO of 2026-02-12 overlooks conditions of DeleteObject",
			backendtest.StorageClasses:    "MinIO of 2026-02-12 knows no STANDARD_IA",
			backendtest.ListUploads:       "MinIO of 2026-02-12 lists uploads of whole keys only",
			backendtest.ListedChecksums:   "MinIO of 2026-02-12 shows no algorithm in listings",
			backendtest.MoreChecksums:     "MinIO of 2026-02-12 knows five algorithms",
			backendtest.AbortAnswers:      "MinIO of 2026-02-12 answers every AbortMultipartUpload with success",
			backendtest.ManagedKeys:       "MinIO encrypts only when it is given a key",
			backendtest.KMSKeys:           "MinIO encrypts only when it is given a key",
			backendtest.CustomerKeys:      "MinIO takes keys of customers over TLS only",
			backendtest.AllKeys:           "MinIO of 2026-02-12 keeps objects in directories named as their keys, and does not list what is below an object",
		},
		Skip: map[string]string{
			"copy/redirect":   "MinIO of 2026-02-12 keeps no x-amz-website-redirect-location",
			"tags/characters": "MinIO of 2026-02-12 takes tags of ASCII only",
			"bucket/race":     "MinIO of 2026-02-12 loses writes to a DeleteBucket that runs at the same time",
		},
	}
}
