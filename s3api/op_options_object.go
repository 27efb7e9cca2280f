package s3api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// preflight is the operation of every OPTIONS request on a bucket or a key: browsers ask what a page may do,
// and sign nothing. It stands outside of the table because nothing that the table says of others holds for it.
var preflight = &operation{name: "OptionsObject", method: http.MethodOptions, scope: onBucket, handle: (*Server).optionsObject}

// optionsObject implements the preflight request of browsers. Nobody has signed it: it sees the settings of a
// bucket and nothing else. Of a bucket that is not there, or may be another tenant's, it says what it says
// of one without CORS.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
func (s *Server) optionsObject(c *call) error {
	r, err := c.preflightInput()
	if err != nil {
		return err
	}
	credential, _ := c.query.lookup("X-Amz-Credential")
	accessKey, _, _ := strings.Cut(credential, "/")
	at, err := s.findFor(c.ctx, s.claimedTenant(accessKey), c.bucket)
	switch {
	case err != nil && !noBucket(err):
		return err
	case err != nil || len(at.route.Settings.CORS) == 0:
		return c.accessForbidden(&r, "CORSResponse: CORS is not enabled for this bucket.")
	}
	rule, origin := r.match(at.route.Settings.CORS)
	if rule == nil {
		return c.accessForbidden(&r, "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "+
			"request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
	}
	c.set("Vary", varyCORS)
	c.setCORS(&r, rule, origin)
	return nil
}

// preflightInput reads what a preflight asks.
func (c *call) preflightInput() (crossOrigin, error) {
	r := c.crossOrigin()
	switch {
	case r.origin == "":
		return r, s3err.Newf(s3err.BadRequest, "Insufficient information. Origin request header needed.")
	case !c.hasHeader("Access-Control-Request-Method"):
		return r, s3err.Newf(s3err.BadRequest, "Invalid Access-Control-Request-Method: null")
	case !slices.Contains(corsMethods, r.method):
		return r, s3err.Newf(s3err.BadRequest, "Invalid Access-Control-Request-Method: %s", c.header("Access-Control-Request-Method"))
	}
	for _, name := range r.headers {
		if !isHeader(strings.TrimSpace(name), "") {
			return r, s3err.Newf(s3err.BadRequest, `Access-Control-Request-Headers "%s" contains invalid character.`, name)
		}
	}
	return r, nil
}

// accessForbidden is the answer to a preflight for what is not allowed.
func (c *call) accessForbidden(r *crossOrigin, message string) error {
	return s3err.Newf(s3err.AccessForbidden, "%s", message).With("Method", r.method).With("ResourceType", c.resourceType())
}
