package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// putBucketRequestPayment implements PutBucketRequestPayment. There is nobody here who could be made to pay but
// the owner of the bucket, who does.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketRequestPayment.html
func (s *Server) putBucketRequestPayment(c *call) error {
	var payer *string
	err := c.readXML(requestPaymentDocument, func(e *elements) error {
		return e.children(func(name string) error {
			switch {
			case name != "Payer":
				return nil
			case payer != nil:
				return malformed(nil)
			}
			return e.textTo(&payer)
		})
	})
	switch {
	case err != nil:
		return err
	case payer != nil && *payer == string(types.PayerBucketOwner):
		return nil
	case payer != nil && *payer == string(types.PayerRequester):
		return s3err.Newf(s3err.NotImplemented, "Requester Pays is not implemented.")
	}
	return malformed(nil)
}
