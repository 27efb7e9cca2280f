package s3err

// Code is an S3 error code, spelt as AWS spells it.
type Code string

// The codes this server gives. Each has its row in the table below.
const (
	AccessControlListNotSupported    Code = "AccessControlListNotSupported"
	AccessForbidden                  Code = "AccessForbidden"
	AccessDenied                     Code = "AccessDenied"
	AuthorizationHeaderMalformed     Code = "AuthorizationHeaderMalformed"
	AuthorizationQueryParameters     Code = "AuthorizationQueryParametersError"
	BadDigest                        Code = "BadDigest"
	BadGateway                       Code = "BadGateway"
	BadRequest                       Code = "BadRequest"
	BucketAlreadyExists              Code = "BucketAlreadyExists"
	BucketAlreadyOwnedByYou          Code = "BucketAlreadyOwnedByYou"
	BucketNotEmpty                   Code = "BucketNotEmpty"
	ConditionalRequestConflict       Code = "ConditionalRequestConflict"
	EntityTooLarge                   Code = "EntityTooLarge"
	EntityTooSmall                   Code = "EntityTooSmall"
	ExpeditedNotAvailable            Code = "GlacierExpeditedRetrievalNotAvailable"
	IdempotencyMismatch              Code = "IdempotencyParameterMismatch"
	IllegalLocationConstraint        Code = "IllegalLocationConstraintException"
	IllegalVersioning                Code = "IllegalVersioningConfigurationException"
	IncompleteBody                   Code = "IncompleteBody"
	InternalError                    Code = "InternalError"
	InvalidAccessKeyID               Code = "InvalidAccessKeyId"
	InvalidArgument                  Code = "InvalidArgument"
	InvalidBucketACL                 Code = "InvalidBucketAclWithObjectOwnership"
	InvalidBucketName                Code = "InvalidBucketName"
	InvalidBucketState               Code = "InvalidBucketState"
	InvalidChunkSize                 Code = "InvalidChunkSizeError"
	InvalidDigest                    Code = "InvalidDigest"
	InvalidEncryptionAlgorithm       Code = "InvalidEncryptionAlgorithmError"
	InvalidLocationConstraint        Code = "InvalidLocationConstraint"
	InvalidObjectState               Code = "InvalidObjectState"
	InvalidPart                      Code = "InvalidPart"
	InvalidPartNumber                Code = "InvalidPartNumber"
	InvalidPartOrder                 Code = "InvalidPartOrder"
	InvalidPolicyDocument            Code = "InvalidPolicyDocument"
	InvalidRange                     Code = "InvalidRange"
	InvalidRedirectLocation          Code = "InvalidRedirectLocation"
	InvalidRequest                   Code = "InvalidRequest"
	InvalidStorageClass              Code = "InvalidStorageClass"
	InvalidTag                       Code = "InvalidTag"
	InvalidToken                     Code = "InvalidToken"
	InvalidURI                       Code = "InvalidURI"
	KMSNotFound                      Code = "KMS.NotFoundException"
	KeyTooLong                       Code = "KeyTooLongError"
	MalformedPOSTRequest             Code = "MalformedPOSTRequest"
	MalformedTrailer                 Code = "MalformedTrailerError"
	MalformedXML                     Code = "MalformedXML"
	MaxMessageLengthExceeded         Code = "MaxMessageLengthExceeded"
	MaxPostPreDataLengthExceeded     Code = "MaxPostPreDataLengthExceeded"
	MetadataConfigurationNotFound    Code = "MetadataConfigurationNotFound"
	MetadataTooLarge                 Code = "MetadataTooLarge"
	MethodNotAllowed                 Code = "MethodNotAllowed"
	MissingContentLength             Code = "MissingContentLength"
	MissingRequestBody               Code = "MissingRequestBodyError"
	MissingSecurityHeader            Code = "MissingSecurityHeader"
	NoSuchBucket                     Code = "NoSuchBucket"
	NoSuchBucketPolicy               Code = "NoSuchBucketPolicy"
	NoSuchCORSConfiguration          Code = "NoSuchCORSConfiguration"
	NoSuchConfiguration              Code = "NoSuchConfiguration"
	NoSuchKey                        Code = "NoSuchKey"
	NoSuchLifecycleConfiguration     Code = "NoSuchLifecycleConfiguration"
	NoSuchObjectLockConfiguration    Code = "NoSuchObjectLockConfiguration"
	NoSuchTagSet                     Code = "NoSuchTagSet"
	NoSuchUpload                     Code = "NoSuchUpload"
	NoSuchVersion                    Code = "NoSuchVersion"
	NoSuchWebsiteConfiguration       Code = "NoSuchWebsiteConfiguration"
	NotImplemented                   Code = "NotImplemented"
	NotModified                      Code = "NotModified"
	ObjectAlreadyInActiveTier        Code = "ObjectAlreadyInActiveTierError"
	ObjectLockNotFound               Code = "ObjectLockConfigurationNotFoundError"
	ObjectNotInActiveTier            Code = "ObjectNotInActiveTierError"
	OperationAborted                 Code = "OperationAborted"
	PermanentRedirect                Code = "PermanentRedirect"
	PreconditionFailed               Code = "PreconditionFailed"
	ReplicationConfigurationNotFound Code = "ReplicationConfigurationNotFoundError"
	RequestHeaderSectionTooLarge     Code = "RequestHeaderSectionTooLarge"
	RequestTimeTooSkewed             Code = "RequestTimeTooSkewed"
	RequestTimeout                   Code = "RequestTimeout"
	RestoreAlreadyInProgress         Code = "RestoreAlreadyInProgress"
	ServiceUnavailable               Code = "ServiceUnavailable"
	SignatureDoesNotMatch            Code = "SignatureDoesNotMatch"
	SlowDown                         Code = "SlowDown"
	TooManyBuckets                   Code = "TooManyBuckets"
	UnexpectedContent                Code = "UnexpectedContent"
	UnsupportedSignature             Code = "UnsupportedSignature"
	XAmzContentChecksumMismatch      Code = "XAmzContentChecksumMismatch"
	XAmzContentSHA256Mismatch        Code = "XAmzContentSHA256Mismatch"
)

// row is what S3 answers for a code.
type row struct {
	status  int
	message string
}

// table has the HTTP status and the usual message of each code.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
var table = map[Code]row{
	AccessControlListNotSupported:    {400, "The bucket does not allow ACLs"},
	AccessForbidden:                  {403, "Access forbidden"},
	AccessDenied:                     {403, "Access Denied"},
	AuthorizationHeaderMalformed:     {400, "The authorization header that you provided is not valid."},
	AuthorizationQueryParameters:     {400, "The query-string authentication parameters that you provided are not valid."},
	BadDigest:                        {400, "The Content-MD5 or checksum value that you specified did not match what the server received."},
	BadGateway:                       {502, "The storage service behind this endpoint cannot be used. Please tell the operator."},
	BadRequest:                       {400, "Bad Request"},
	BucketAlreadyExists:              {409, "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."},
	BucketAlreadyOwnedByYou:          {409, "Your previous request to create the named bucket succeeded and you already own it."},
	BucketNotEmpty:                   {409, "The bucket you tried to delete is not empty"},
	ConditionalRequestConflict:       {409, "The conditional request cannot succeed due to a conflicting operation against this resource."},
	EntityTooLarge:                   {400, "Your proposed upload exceeds the maximum allowed size"},
	EntityTooSmall:                   {400, "Your proposed upload is smaller than the minimum allowed size"},
	ExpeditedNotAvailable:            {503, "Glacier expedited retrievals are currently not available, please try again later"},
	IdempotencyMismatch:              {400, "Parameters on this idempotent request are inconsistent with parameters used in previous request(s)."},
	IllegalLocationConstraint:        {400, "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."},
	IllegalVersioning:                {400, "The versioning configuration specified in the request is invalid."},
	IncompleteBody:                   {400, "You did not provide the number of bytes specified by the Content-Length HTTP header"},
	InternalError:                    {500, "We encountered an internal error. Please try again."},
	InvalidAccessKeyID:               {403, "The AWS Access Key Id you provided does not exist in our records."},
	InvalidArgument:                  {400, "Invalid Argument"},
	InvalidBucketACL:                 {400, "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"},
	InvalidBucketName:                {400, "The specified bucket is not valid."},
	InvalidBucketState:               {409, "The request is not valid with the current state of the bucket."},
	InvalidChunkSize:                 {403, "Only the last chunk is allowed to have a size less than 8192 bytes"},
	InvalidDigest:                    {400, "The Content-MD5 you specified was invalid."},
	InvalidEncryptionAlgorithm:       {400, "The encryption request that you specified is not valid. The valid value is AES256."},
	InvalidLocationConstraint:        {400, "The specified location-constraint is not valid"},
	InvalidObjectState:               {403, "The operation is not valid for the object's storage class"},
	InvalidPart:                      {400, "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."},
	InvalidPartNumber:                {416, "The requested partnumber is not satisfiable"},
	InvalidPartOrder:                 {400, "The list of parts was not in ascending order. Parts must be ordered by part number."},
	InvalidPolicyDocument:            {400, "The content of the form does not meet the conditions specified in the policy document."},
	InvalidRange:                     {416, "The requested range is not satisfiable"},
	InvalidRedirectLocation:          {400, "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."},
	InvalidRequest:                   {400, "Invalid Request"},
	InvalidStorageClass:              {400, "The storage class you specified is not valid"},
	InvalidTag:                       {400, "The tag provided was not a valid tag. This error can occur if the tag did not pass input validation."},
	InvalidToken:                     {400, "The provided token is malformed or otherwise invalid."},
	InvalidURI:                       {400, "Couldn't parse the specified URI."},
	KMSNotFound:                      {400, "The key does not exist"},
	KeyTooLong:                       {400, "Your key is too long"},
	MalformedPOSTRequest:             {400, "The body of your POST request is not well-formed multipart/form-data."},
	MalformedTrailer:                 {400, "The request contained trailing data that was not well-formed or did not conform to our published schema."},
	MalformedXML:                     {400, "The XML you provided was not well-formed or did not validate against our published schema"},
	MaxMessageLengthExceeded:         {400, "Your request was too big."},
	MaxPostPreDataLengthExceeded:     {400, "Your POST request fields preceeding the upload file was too large."}, //nolint:misspell // as AWS has it
	MetadataConfigurationNotFound:    {404, "The metadata configuration was not found"},
	MetadataTooLarge:                 {400, "Your metadata headers exceed the maximum allowed metadata size"},
	MethodNotAllowed:                 {405, "The specified method is not allowed against this resource."},
	MissingContentLength:             {411, "You must provide the Content-Length HTTP header."},
	MissingRequestBody:               {400, "Request Body is empty"},
	MissingSecurityHeader:            {400, "Your request was missing a required header."},
	NoSuchBucket:                     {404, "The specified bucket does not exist"},
	NoSuchBucketPolicy:               {404, "The bucket policy does not exist"},
	NoSuchCORSConfiguration:          {404, "The CORS configuration does not exist"},
	NoSuchConfiguration:              {404, "The specified configuration does not exist."},
	NoSuchKey:                        {404, "The specified key does not exist."},
	NoSuchLifecycleConfiguration:     {404, "The lifecycle configuration does not exist"},
	NoSuchObjectLockConfiguration:    {404, "The specified object does not have a ObjectLock configuration"},
	NoSuchTagSet:                     {404, "The TagSet does not exist"},
	NoSuchUpload:                     {404, "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."},
	NoSuchVersion:                    {404, "The specified version does not exist."},
	NoSuchWebsiteConfiguration:       {404, "The specified bucket does not have a website configuration"},
	NotImplemented:                   {501, "A header you provided implies functionality that is not implemented"},
	NotModified:                      {304, "Not Modified"},
	ObjectAlreadyInActiveTier:        {403, "This action is not allowed against this storage tier."},
	ObjectLockNotFound:               {404, "Object Lock configuration does not exist for this bucket"},
	ObjectNotInActiveTier:            {403, "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier."},
	OperationAborted:                 {409, "A conflicting conditional operation is currently in progress against this resource. Please try again."},
	PermanentRedirect:                {301, "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."},
	PreconditionFailed:               {412, "At least one of the pre-conditions you specified did not hold"},
	ReplicationConfigurationNotFound: {404, "The replication configuration was not found"},
	RequestHeaderSectionTooLarge:     {400, "Your request header section exceeds the maximum allowed size"},
	RequestTimeTooSkewed:             {403, "The difference between the request time and the current time is too large."},
	RequestTimeout:                   {400, "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."},
	RestoreAlreadyInProgress:         {409, "Object restore is already in progress"},
	ServiceUnavailable:               {503, "Service is unable to handle request."},
	SignatureDoesNotMatch:            {403, "The request signature we calculated does not match the signature you provided. Check your key and signing method."},
	SlowDown:                         {503, "Please reduce your request rate."},
	TooManyBuckets:                   {400, "You have attempted to create more buckets than allowed"},
	UnexpectedContent:                {400, "This request does not support content"},
	UnsupportedSignature:             {400, "The provided request is signed with an unsupported STS Token version or the signature version is not supported."},
	XAmzContentChecksumMismatch:      {400, "The provided 'x-amz-checksum' header does not match what was computed."},
	XAmzContentSHA256Mismatch:        {400, "The provided 'x-amz-content-sha256' header does not match what was computed."},
}
