package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	managertypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// resume gets what is missing of the file, of the object that it began with.
func (g goSDK) resume(ctx context.Context, a args) (string, error) {
	f, err := os.OpenFile(a.file, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	head, err := g.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &a.bucket, Key: &a.key})
	if err != nil {
		return "", err
	}
	out, err := g.s3.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &a.bucket, Key: &a.key, IfMatch: head.ETag, Range: aws.String(fmt.Sprintf("bytes=%d-", have)),
	})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	_, err = io.Copy(f, out.Body)
	return "", err
}

// quick has a waiter look often.
const quick = 50 * time.Millisecond

func (g goSDK) wait(ctx context.Context, a args) (string, error) {
	there := s3.NewObjectExistsWaiter(g.s3, func(o *s3.ObjectExistsWaiterOptions) { o.MinDelay = quick })
	gone := s3.NewObjectNotExistsWaiter(g.s3, func(o *s3.ObjectNotExistsWaiterOptions) { o.MinDelay = quick })
	bucket := s3.NewBucketExistsWaiter(g.s3, func(o *s3.BucketExistsWaiterOptions) { o.MinDelay = quick })
	noBucket := s3.NewBucketNotExistsWaiter(g.s3, func(o *s3.BucketNotExistsWaiterOptions) { o.MinDelay = quick })
	object, other := &s3.HeadObjectInput{Bucket: &a.bucket, Key: &a.key}, a.bucket+"-none"
	waited := make(chan error, 1)
	go func() { waited <- there.Wait(ctx, object, verbTimeout) }()
	_, err := g.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &a.bucket, Key: &a.key, Body: strings.NewReader("x")})
	err = errors.Join(err, <-waited)
	go func() { waited <- gone.Wait(ctx, object, verbTimeout) }()
	_, deleted := g.deleteObject(ctx, a)
	return "", errors.Join(err, deleted, <-waited,
		bucket.Wait(ctx, &s3.HeadBucketInput{Bucket: &a.bucket}, verbTimeout),
		noBucket.Wait(ctx, &s3.HeadBucketInput{Bucket: &other}, verbTimeout))
}

// listings has no ListObjects: the SDK has no paginator for it.
func (g goSDK) listings(ctx context.Context, a args) (string, error) {
	var p pages
	err := errors.Join(g.listObjects(ctx, a.bucket, &p), g.listVersions(ctx, a.bucket, &p), g.listUploads(ctx, a.bucket, &p))
	buckets := s3.NewListBucketsPaginator(g.s3, &s3.ListBucketsInput{Prefix: &a.bucket, MaxBuckets: aws.Int32(2)})
	for err == nil && buckets.HasMorePages() {
		var page *s3.ListBucketsOutput
		if page, err = buckets.NextPage(ctx); err == nil {
			for _, b := range page.Buckets {
				p.Buckets = append(p.Buckets, *b.Name)
			}
		}
	}
	p.V1 = p.V2
	out, jsonErr := json.Marshal(p)
	return string(out), errors.Join(err, jsonErr)
}

func (g goSDK) listObjects(ctx context.Context, bucket string, p *pages) error {
	for _, delimiter := range []*string{nil, aws.String("/")} {
		in := &s3.ListObjectsV2Input{Bucket: &bucket, Delimiter: delimiter, MaxKeys: aws.Int32(2)}
		for pages := s3.NewListObjectsV2Paginator(g.s3, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			into := &p.V2
			if delimiter != nil {
				into = &p.Folders
			}
			for _, object := range page.Contents {
				*into = append(*into, *object.Key)
			}
			for _, prefix := range page.CommonPrefixes {
				*into = append(*into, *prefix.Prefix)
			}
		}
	}
	return nil
}

func (g goSDK) listVersions(ctx context.Context, bucket string, p *pages) error {
	in := &s3.ListObjectVersionsInput{Bucket: &bucket, MaxKeys: aws.Int32(2)}
	for pages := s3.NewListObjectVersionsPaginator(g.s3, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, v := range page.Versions {
			p.Versions = append(p.Versions, *v.Key)
		}
		for _, m := range page.DeleteMarkers {
			p.Versions = append(p.Versions, "-"+*m.Key)
		}
	}
	return nil
}

func (g goSDK) listUploads(ctx context.Context, bucket string, p *pages) error {
	var first s3.ListPartsInput
	in := &s3.ListMultipartUploadsInput{Bucket: &bucket, MaxUploads: aws.Int32(2)}
	for pages := s3.NewListMultipartUploadsPaginator(g.s3, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, u := range page.Uploads {
			if p.Uploads == nil {
				first = s3.ListPartsInput{Bucket: &bucket, Key: u.Key, UploadId: u.UploadId, MaxParts: aws.Int32(2)}
			}
			p.Uploads = append(p.Uploads, *u.Key)
		}
	}
	for parts := s3.NewListPartsPaginator(g.s3, &first); parts.HasMorePages(); {
		page, err := parts.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, part := range page.Parts {
			p.Parts = append(p.Parts, int(*part.PartNumber))
		}
	}
	return nil
}

// transfers downloads by parts and by ranges. The transfer manager has no copy.
func (g goSDK) transfers(ctx context.Context, a args) (string, error) {
	content, err := os.ReadFile(a.file)
	if err != nil {
		return "", err
	}
	small := func(o *transfermanager.Options) { o.PartSizeBytes, o.MultipartUploadThreshold = 5<<20, 5<<20 }
	var done []string
	for _, algorithm := range []managertypes.ChecksumAlgorithm{
		managertypes.ChecksumAlgorithmCrc32, managertypes.ChecksumAlgorithmCrc32c, managertypes.ChecksumAlgorithmSha1,
		managertypes.ChecksumAlgorithmSha256, managertypes.ChecksumAlgorithmSha512,
	} {
		key := a.key + string(algorithm)
		_, err := g.transfer.UploadObject(ctx, &transfermanager.UploadObjectInput{
			Bucket: &a.bucket, Key: &key, ChecksumAlgorithm: algorithm, Body: bytes.NewReader(content),
		}, small)
		if err != nil {
			return "", fmt.Errorf("uploading with %s: %w", algorithm, err)
		}
		source := strings.ReplaceAll(url.QueryEscape(a.bucket+"/"+key), "+", "%20")
		_, err = g.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &a.bucket, Key: aws.String("copy " + key), CopySource: &source})
		if err != nil {
			return "", fmt.Errorf("copying with %s: %w", algorithm, err)
		}
		for _, by := range []managertypes.GetObjectType{managertypes.GetObjectParts, managertypes.GetObjectRanges} {
			if err := g.transferBack(ctx, a.bucket, key, content, small, func(o *transfermanager.Options) { o.GetObjectType = by }); err != nil {
				return "", fmt.Errorf("downloading with %s by %s: %w", algorithm, by, err)
			}
		}
		done = append(done, string(algorithm))
	}
	return strings.Join(done, " "), nil
}

// transferBack fails if what it downloads is not the content.
func (g goSDK) transferBack(ctx context.Context, bucket, key string, content []byte, options ...func(*transfermanager.Options)) error {
	out, err := g.transfer.GetObject(ctx, &transfermanager.GetObjectInput{Bucket: &bucket, Key: &key}, options...)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(out.Body)
	if err == nil && !bytes.Equal(got, content) {
		err = errors.New("the content differs")
	}
	return err
}
