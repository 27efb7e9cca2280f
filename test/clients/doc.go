// Package clients runs the S3 clients that people really use against the built
// binary: aws-cli, boto3, the AWS SDKs for Go and JavaScript, s3cmd, rclone,
// restic, curl, and a page in Chromium.
// Each puts, gets, lists, copies and deletes, moves 100 MiB in parts, syncs a
// tree of odd file names both ways and presigns; contents are compared byte by
// byte. Those that sync, and restic, do so in buckets with versions too whose
// keys are spread. The SDKs' waiters wait, their paginators page, and their
// transfer managers use each checksum algorithm that they know. The page
// uploads with fetch and with forms, as far as CORS lets it.
//
// A client that this machine lacks is skipped by name, and is a failure when
// CI=true. XRONOX_TEST_ENDPOINT, XRONOX_TEST_ACCESS_KEY and
// XRONOX_TEST_SECRET_KEY name a server that is already running (over HTTP), and is
// then tested instead of the built binary.
package clients
