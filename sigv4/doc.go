// Package sigv4 verifies AWS Signature Version 4 as S3 has it.
package sigv4
