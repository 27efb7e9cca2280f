package linearizable

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/internal/history"
	"github.com/xronox/xronox-proxy/s3err"
)

// client does one thing after another.
type client struct {
	*world

	r *rand.Rand
}

// op is an operation that runs.
type op struct {
	*history.Op

	w    *world
	ctx  context.Context
	stop context.CancelFunc
}

// begin begins an operation.
func (w *world) begin(kind, key string) *op {
	o := &op{Op: w.Begin(kind, key), w: w}
	o.ctx, o.stop = context.WithTimeout(context.Background(), callTimeout)
	return o
}

// as signs a request so that rows say which operation made them.
func (o *op) as() func(*s3.Options) {
	return func(opts *s3.Options) {
		if o.In.Kind == history.Put || o.In.Kind == history.Delete || o.In.Kind == history.Remove {
			opts.Credentials = credentialsFor(o.Name, secretKey)
		}
	}
}

// credentialsFor are credentials.
func credentialsFor(access, secret string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(access, secret, "")
}

// done notes an operation, and what came of it. What was broken off, and what a server answered that says that it could not, may have happened.
func (o *op) done(err error) {
	defer o.stop()
	var (
		answer *smithyhttp.ResponseError
		api    smithy.APIError
	)
	switch {
	case err == nil:
		o.w.answered.Add(1)
		o.Done()
	case unanswered(err) || !errors.As(err, &answer) || !errors.As(err, &api):
		if httpStatus(err) == http.StatusInternalServerError {
			o.w.Problem("%s %+v: %v", o.Name, o.In, err)
		}
		o.w.unanswered.Add(1)
		o.Failed()
	default:
		o.Out.Code, o.Out.ID = s3err.Code(api.ErrorCode()), answer.Response.Header.Get("X-Amz-Version-Id")
		o.w.answered.Add(1)
		o.Done()
	}
}

// unanswered reports whether it is not known what came of a request.
func unanswered(err error) bool {
	status := httpStatus(err)
	return err != nil && (status < 300 || status >= 500) // The SDK says 0 of requests that were not sent.
}

// code is the S3 code of an error.
func code(err error) s3err.Code {
	var api smithy.APIError
	if errors.As(err, &api) {
		return s3err.Code(api.ErrorCode())
	}
	return ""
}

// orNil is nil for nothing.
func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// work does operations until there were enough.
func (c *client) work() {
	for c.Begun() < c.run.ops {
		p, key := c.proxy(c.r.IntN), c.key(c.r.IntN(c.run.keys))
		if p == nil {
			return
		}
		switch c.r.IntN(18) {
		case 0, 1:
			c.put(p, key, "", "")
		case 2, 3:
			c.put(p, key, "", "*")
		case 4, 5:
			c.put(p, key, c.ETag(c.r.IntN, key), "")
		case 6:
			c.delete(p, key)
		case 7, 8, 9:
			c.remove(p, key)
		case 10:
			c.complete(p, key)
		case 11:
			c.copy(p, key, c.key(c.r.IntN(c.run.keys)))
		case 12, 13:
			c.get(p, key, "")
		case 14, 15:
			if id := c.ID(c.r.IntN, key); id != "" {
				c.get(p, key, id)
			}
		case 16:
			c.listObject(p, key)
		case 17:
			c.listVersions(p, key)
		}
		c.progress()
	}
}

// put puts an object.
func (c *client) put(p *s3.Client, key, match, noneMatch string) {
	o := c.begin(history.Put, key)
	value := o.Name
	c.Knows(history.ETagOf(value), value)
	o.In.Value, o.In.Match, o.In.NoneMatch = value, match, noneMatch
	out, err := p.PutObject(o.ctx, &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(value), Metadata: map[string]string{"says": value},
		IfMatch: orNil(match), IfNoneMatch: orNil(noneMatch),
	}, o.as())
	if err == nil {
		o.Out.ID, o.Out.ETag = aws.ToString(out.VersionId), aws.ToString(out.ETag)
	}
	o.done(err)
}

// delete deletes an object.
func (c *client) delete(p *s3.Client, key string) {
	o := c.begin(history.Delete, key)
	out, err := p.DeleteObject(o.ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key}, o.as())
	if err == nil {
		o.Out.ID, o.Out.Marker = aws.ToString(out.VersionId), aws.ToBool(out.DeleteMarker)
	}
	o.done(err)
}

// remove removes a version for good.
func (c *client) remove(p *s3.Client, key string) {
	id := c.ID(c.r.IntN, key)
	if id == "" {
		return
	}
	o := c.begin(history.Remove, key)
	o.In.Version = id
	out, err := p.DeleteObject(o.ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key, VersionId: &id}, o.as())
	if err == nil {
		o.Out.Marker = aws.ToBool(out.DeleteMarker)
	}
	o.done(err)
}

// complete makes an object by an upload, which is completed by two at once, and again when nobody answers.
func (c *client) complete(p *s3.Client, key string) {
	o := c.begin(history.Put, key)
	value := o.Name
	o.In.Value = value
	in, err := c.upload(p, o, key)
	if err != nil {
		o.stop()
		return
	}
	c.Knows(backends.PartsETag(in), value)
	c.Knows(history.ETagOf(value), value) // of copies
	var outs [3]*s3.CompleteMultipartUploadOutput
	var errs [3]error
	at := []*s3.Client{p, c.proxy(c.r.IntN), c.proxy(c.r.IntN)}
	send := func(i int) {
		if at[i] == nil {
			at[i] = p
		}
		outs[i], errs[i] = at[i].CompleteMultipartUpload(o.ctx, in, o.as())
	}
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { send(i) })
	}
	wg.Wait()
	tried := 2
	if unanswered(errs[0]) && unanswered(errs[1]) {
		at[2] = c.proxy(c.r.IntN)
		send(2)
		tried = 3
	}
	// Who comes second is told that the upload is gone, when another version is current by then.
	var unknown error
	for i := range tried {
		switch {
		case errs[i] == nil:
			o.Out.ID, o.Out.ETag = aws.ToString(outs[i].VersionId), aws.ToString(outs[i].ETag)
			o.done(nil)
			return
		case unanswered(errs[i]):
			unknown = errs[i]
		}
	}
	if unknown == nil {
		unknown = errs[0]
	}
	o.done(unknown)
}

// upload begins an upload and sends its part. It returns what completes it.
func (c *client) upload(p *s3.Client, o *op, key string) (*s3.CompleteMultipartUploadInput, error) {
	begun, err := p.CreateMultipartUpload(o.ctx, &s3.CreateMultipartUploadInput{
		Bucket: aws.String(bucket), Key: &key, Metadata: map[string]string{"says": o.Name},
	}, o.as())
	if err != nil {
		return nil, err
	}
	part, err := p.UploadPart(o.ctx, &s3.UploadPartInput{
		Bucket: aws.String(bucket), Key: &key, UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(o.Name),
	}, o.as())
	if err != nil {
		return nil, err
	}
	return &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(bucket), Key: &key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
			Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32, ChecksumCRC64NVME: part.ChecksumCRC64NVME}},
		},
	}, nil
}

// copy copies the current object, or a version of it. It reads and writes: these are two operations.
func (c *client) copy(p *s3.Client, from, to string) {
	read, write := c.begin(history.Get, from), c.begin(history.Put, to)
	defer read.stop()
	defer write.stop()
	source := bucket + "/" + from
	if from == to || c.r.IntN(2) == 0 {
		id := c.ID(c.r.IntN, from)
		if id == "" {
			return
		}
		read.In.Kind, read.In.Version = history.GetVersion, id
		source += "?versionId=" + id
	}
	out, err := p.CopyObject(write.ctx, &s3.CopyObjectInput{Bucket: aws.String(bucket), Key: &to, CopySource: &source}, write.as())
	switch {
	case err == nil:
		write.Out.ID, write.Out.ETag = aws.ToString(out.VersionId), aws.ToString(out.CopyObjectResult.ETag)
		write.In.Value = c.Value(write.Out.ETag)
		read.Out.Value, read.Out.ID = write.In.Value, aws.ToString(out.CopySourceVersionId)
		read.done(nil)
		write.done(nil)
	case unanswered(err):
		write.done(err)
	case code(err) == s3err.InvalidRequest: // a delete marker, or the current version onto itself
	case code(err) == s3err.NoSuchKey: // It is not said which delete marker is there, if any.
		read.In.Kind = history.Object
		read.done(nil)
	default:
		read.done(err)
	}
}

// get reads an object.
func (c *client) get(p *s3.Client, key, version string) {
	o := c.begin(history.Get, key)
	if version != "" {
		o.In.Kind, o.In.Version = history.GetVersion, version
	}
	out, err := p.GetObject(o.ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key, VersionId: orNil(version)}, o.as())
	if err == nil {
		body, e := io.ReadAll(out.Body)
		err = errors.Join(e, out.Body.Close())
		o.Out.ID, o.Out.Value = aws.ToString(out.VersionId), string(body)
		if out.Metadata["says"] != string(body) {
			o.Out.Value += " with the metadata of " + out.Metadata["says"]
		}
	}
	o.done(err)
}

// listObject lists the object.
func (c *client) listObject(p *s3.Client, key string) {
	o := c.begin(history.Object, key)
	out, err := p.ListObjectsV2(o.ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: &key}, o.as())
	if err == nil && len(out.Contents) > 0 {
		o.Out.ETag = aws.ToString(out.Contents[0].ETag)
	}
	o.done(err)
}

// listVersions lists the versions. It returns their ids.
func (c *client) listVersions(p *s3.Client, key string) (ids []string) {
	o := c.begin(history.Versions, key)
	var body []byte
	_, err := p.ListObjectVersions(o.ctx, &s3.ListObjectVersionsInput{Bucket: aws.String(bucket), Prefix: &key}, o.as(), s3.WithAPIOptions(keepBody(&body)))
	if err == nil {
		var s history.State
		if s, err = inOrder(body); err == nil {
			o.Out.List = s.List()
		}
		for _, v := range s {
			ids = append(ids, v.ID)
		}
	}
	o.done(err)
	return ids
}

// keepBody keeps the body of an answer: the SDK tells versions from delete markers and forgets how they stood to each other.
func keepBody(body *[]byte) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("keepBody", func(
			ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
		) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			if resp, ok := out.RawResponse.(*smithyhttp.Response); ok && err == nil {
				*body, err = io.ReadAll(resp.Body)
				resp.Body.Close()
				resp.Body = io.NopCloser(bytes.NewReader(*body))
			}
			return out, metadata, err
		}), middleware.After)
	}
}

// inOrder are the versions of a listing in its order.
func inOrder(body []byte) (s history.State, err error) {
	var list struct {
		Items []struct {
			XMLName xml.Name
			ID      string `xml:"VersionId"`
			ETag    string
		} `xml:",any"`
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("a listing: %w", err)
	}
	for _, v := range list.Items {
		switch v.XMLName.Local {
		case "Version", "DeleteMarker":
			s = append(s, history.Version{ID: v.ID, ETag: v.ETag, Marker: v.XMLName.Local == "DeleteMarker"})
		}
	}
	return s, nil
}
