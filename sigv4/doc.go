// Package sigv4 verifies AWS Signature Version 4 as S3 has it: who signed a
// request, in its Authorization header, in the query of a presigned URL or with
// the policy of a form, and that the body is the one that was signed. It also signs requests that are
// forwarded. It knows no HTTP library: a [Request] is what stood on the wire.
//
// # What is verified
//
//   - The signature over method, raw path, raw query, signed headers and
//     payload, in constant time. The path is decoded and escaped once and never
//     normalised, as S3 does.
//     https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
//     https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
//   - That host and every x-amz-* and x-xronox-* header are signed.
//   - The credential's date, region and service; the time, within 15 minutes;
//     a presigned URL's expiry, at most a week.
//   - Of a form, the signature over its policy as it was sent; what the policy
//     says is the caller's to judge. See [Verifier.VerifyPost].
//     https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
//   - The body: its SHA-256, or the chunks and trailers of the aws-chunked
//     encoding, in four streaming modes; see [Body].
//     https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
//     https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
//
// # What is not
//
// Refused, each with an error that says so: Signature Version 2, SigV4A
// (AWS4-ECDSA-P256-SHA256), session tokens. Checksums in headers and trailers
// are the business of whoever reads the Body. Query parameters named x-amz-*
// stand for headers in S3; they are signed like any other parameter, and what
// they mean is the caller's to decide.
package sigv4
