package sigv4

import (
	"strings"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// examplePost is the form of AWS's published example.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
var examplePost = PostForm{
	Policy:    "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9",
	Algorithm: algorithm, Credential: exampleKey + "/20151229/us-east-1/s3/aws4_request", Date: "20151229T000000Z",
	Signature: "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
}

// postVerifier lives so long after the example was signed.
func postVerifier(age time.Duration) *Verifier {
	return New(Options{
		Keys: secrets{exampleKey: exampleSecret}, Region: "us-east-1",
		Now: func() time.Time { return time.Date(2015, 12, 29, 0, 0, 0, 0, time.UTC).Add(age) },
	})
}

// TestPostExample verifies AWS's example, again from the remembered key.
func TestPostExample(t *testing.T) {
	v := postVerifier(36 * time.Hour)
	for range 2 {
		got, err := v.VerifyPost(&examplePost)
		if err != nil || got.AccessKey != exampleKey || got.Payload != Unsigned || got.Presigned {
			t.Fatalf("%+v, %v", got, err)
		}
	}
}

// TestPostRefused: each part of the claim has S3's error for what it cannot be.
func TestPostRefused(t *testing.T) {
	v := postVerifier(time.Hour)
	f := func(change func(*PostForm), code s3err.Code, message, argument string) {
		t.Helper()
		form := examplePost
		change(&form)
		got, err := v.VerifyPost(&form)
		e := wantError(t, err, code)
		if !strings.HasPrefix(e.Message, message) || detail(e, "ArgumentName") != argument || got.AccessKey != "" {
			t.Errorf("%+v: %+v, %+v", form, got, e)
		}
	}
	credential := func(s string) func(*PostForm) { return func(f *PostForm) { f.Credential = s } }
	f(func(f *PostForm) { f.Algorithm = "AWS4-HMAC-SHA1" }, s3err.InvalidArgument, "Only AWS4-HMAC-SHA256 is supported", "X-Amz-Algorithm")
	f(func(f *PostForm) { f.Algorithm = "AWS4-ECDSA-P256-SHA256" }, s3err.UnsupportedSignature, "", "")
	f(func(f *PostForm) { f.Date = "2015-12-29" }, s3err.InvalidArgument, "X-Amz-Date must be formated via ISO8601 Long format", "X-Amz-Date")
	f(func(f *PostForm) { f.Date = "20151230T000000Z" }, s3err.InvalidArgument, `Invalid credential date "20151229".`, "X-Amz-Credential")
	f(credential("no-slashes"), s3err.InvalidArgument, "the Credential is mal-formed;", "X-Amz-Credential")
	f(credential(exampleKey+"/20151229/eu-west-1/s3/aws4_request"), s3err.InvalidArgument, "the region 'eu-west-1' is wrong; expecting 'us-east-1'", "X-Amz-Credential")
	f(credential(exampleKey+"/20151229/us-east-1/ec2/aws4_request"), s3err.InvalidArgument, `incorrect service "ec2".`, "X-Amz-Credential")
	f(credential(exampleKey+"/20151229/us-east-1/s3/aws2"), s3err.InvalidArgument, `incorrect terminal "aws2".`, "X-Amz-Credential")
	f(credential("AKIDOTHER/20151229/us-east-1/s3/aws4_request"), s3err.InvalidAccessKeyID, "", "")
	f(func(f *PostForm) { f.Version2 = true }, s3err.InvalidRequest, version2, "")
	f(func(f *PostForm) { f.Elsewhere = "AWS4-HMAC-SHA256 x" }, s3err.InvalidArgument, onlyOneMechanism, "Authorization")
	f(func(f *PostForm) { f.Token = true }, s3err.InvalidToken, "", "")
	f(func(f *PostForm) { f.Signature = "" }, s3err.SignatureDoesNotMatch, "", "")
	f(func(f *PostForm) { f.Signature = strings.ToUpper(f.Signature) }, s3err.SignatureDoesNotMatch, "", "")
	f(func(f *PostForm) { f.Policy = f.Policy[:len(f.Policy)-2] }, s3err.SignatureDoesNotMatch, "", "")

	_, err := postVerifier(maxPostAge + time.Second).VerifyPost(&examplePost)
	if e := wantError(t, err, s3err.AccessDenied); e.Message != "Invalid according to Policy: Policy expired." {
		t.Error(e)
	}
	if _, err := postVerifier(maxPostAge).VerifyPost(&examplePost); err != nil {
		t.Error(err)
	}
}

// TestPostMismatch: the error shows what we signed.
func TestPostMismatch(t *testing.T) {
	form := examplePost
	form.Policy, form.Signature = "abc", "0"
	_, err := postVerifier(0).VerifyPost(&form)
	e := wantError(t, err, s3err.SignatureDoesNotMatch)
	if detail(e, "StringToSign") != "abc" || detail(e, "StringToSignBytes") != "61 62 63" ||
		detail(e, "SignatureProvided") != "0" || detail(e, "AWSAccessKeyId") != exampleKey {
		t.Errorf("%+v", e)
	}
}

// FuzzPost holds that no form verifies but the one that was signed.
func FuzzPost(f *testing.F) {
	f.Add(examplePost.Policy, examplePost.Algorithm, examplePost.Credential, examplePost.Date, examplePost.Signature)
	f.Add("", "", "////", "T", "")
	f.Fuzz(func(t *testing.T, policy, alg, credential, date, signature string) {
		form := PostForm{Policy: policy, Algorithm: alg, Credential: credential, Date: date, Signature: signature}
		got, err := postVerifier(0).VerifyPost(&form)
		mustBeOurs(t, err)
		if err == nil && (policy != examplePost.Policy || signature != examplePost.Signature) {
			t.Fatalf("%+v is %+v", form, got)
		}
	})
}
