package sigv4

import (
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/xronox/xronox-proxy/s3err"
)

// maxPostAge is how long a signing key, and what was signed with it, is good for.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
const maxPostAge = 7 * 24 * time.Hour

// PostForm is what a form says of its own signature, each field as it was sent.
type PostForm struct {
	Policy, Algorithm, Credential, Date, Signature string

	Token    bool // there is an x-amz-security-token
	Version2 bool // it has the fields of Signature Version 2, and none of the above

	// Elsewhere is what signs the request besides: an Authorization header, or
	// something of its query. There must be nothing.
	Elsewhere string
}

// VerifyPost returns who signed the policy of a form: its string to sign is the
// policy in base64, as it was sent. Nothing is known of the policy's content.
// The form's file is not signed, so that the Payload is Unsigned. Errors are as
// those of Verify.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
func (v *Verifier) VerifyPost(f *PostForm) (Verified, error) {
	c := claim{posted: true}
	err := c.fromPost(f)
	if err == nil {
		err = c.checkScope(v.o.Region)
	}
	if err == nil {
		err = c.checkDay()
	}
	if err == nil && f.Token {
		err = s3err.New(s3err.InvalidToken) // No key here comes with one.
	}
	if err == nil && v.o.Now().After(c.time.Add(maxPostAge)) {
		err = s3err.Newf(s3err.AccessDenied, "Invalid according to Policy: Policy expired.")
	}
	if err == nil {
		err = v.checkPost(f, &c)
	}
	if err != nil {
		return Verified{Claimed: c.accessKey}, err
	}
	return Verified{AccessKey: c.accessKey, Claimed: c.accessKey, Payload: Unsigned}, nil
}

// fromPost reads a claim from a form.
func (c *claim) fromPost(f *PostForm) error {
	c.credential, c.signature, c.stamp = f.Credential, f.Signature, f.Date
	switch {
	case f.Elsewhere != "":
		return s3err.InvalidArg("Authorization", f.Elsewhere, onlyOneMechanism)
	case f.Version2:
		return s3err.Newf(s3err.InvalidRequest, "%s", version2)
	}
	switch f.Algorithm {
	case algorithm:
	case "AWS4-ECDSA-P256-SHA256":
		return unsupportedECDSA()
	default:
		return s3err.InvalidArg("X-Amz-Algorithm", f.Algorithm, "Only AWS4-HMAC-SHA256 is supported")
	}
	var ok bool
	if c.time, ok = parseStamp(f.Date); !ok {
		return s3err.InvalidArg("X-Amz-Date", f.Date, "X-Amz-Date must be formated via ISO8601 Long format")
	}
	return nil
}

// checkPost compares the signature of a policy with the one that the access
// key's secret gives.
func (v *Verifier) checkPost(f *PostForm, c *claim) error {
	secret, ok := v.o.Keys.SecretKey(c.accessKey)
	if !ok {
		return s3err.New(s3err.InvalidAccessKeyID).With("AWSAccessKeyId", c.accessKey)
	}
	name := scopeName{c.accessKey, secret, c.day, c.region}
	key, known := v.keys.get(name)
	computed := key.appendSignature(nil, []byte(f.Policy))
	if subtle.ConstantTimeCompare(computed, []byte(c.signature)) != 1 {
		return s3err.New(s3err.SignatureDoesNotMatch).
			With("AWSAccessKeyId", c.accessKey).
			With("StringToSign", f.Policy).
			With("SignatureProvided", c.signature).
			With("StringToSignBytes", fmt.Sprintf("% x", f.Policy))
	}
	if !known {
		v.keys.put(name, key)
	}
	return nil
}
