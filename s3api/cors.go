package s3api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// maxCORSRules is how many rules S3 takes for a bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
const maxCORSRules = 100

// maxCORSRuleID is how long the ID of a rule may be, in characters.
const maxCORSRuleID = 255

// corsMethods are the methods that a rule can allow.
var corsMethods = []string{"GET", "PUT", "HEAD", "POST", "DELETE"}

// varyCORS is what answers depend on in a bucket that has rules.
const varyCORS = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

// crossOrigin is what a request says of the page that it comes from.
type crossOrigin struct {
	origin, method string
	headers        []string // as they came
}

// crossOrigin reads what a request says, or will say, of the page that it comes from. A preflight names the
// method of the request that will follow; S3 takes the name from any request.
func (c *call) crossOrigin() crossOrigin {
	r := crossOrigin{origin: c.header("Origin"), method: c.method}
	if v := c.header("Access-Control-Request-Method"); v != "" {
		r.method = v
	}
	for i := range c.headers {
		if !strings.EqualFold(c.headers[i].Name, "Access-Control-Request-Headers") {
			continue
		}
		for name := range strings.SplitSeq(c.headers[i].Value, ",") {
			if strings.TrimSpace(name) != "" {
				r.headers = append(r.headers, name)
			}
		}
	}
	return r
}

// allowOrigin adds to an answer, a success or an error, what lets the page that asked for it see it. Who
// did not sign, or wrongly, is told as much, for pages must be able to read errors, too.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
func (s *Server) allowOrigin(c *call) error {
	if c.header("Origin") == "" || c.bucket == "" || c.op == preflight {
		return nil
	}
	route := c.route
	if route == nil && c.identity == nil {
		at, err := s.findFor(c.ctx, s.claimedTenant(c.auth.Claimed), c.bucket)
		if err != nil {
			return err
		}
		route = at.route
	}
	if route == nil || len(route.Settings.CORS) == 0 {
		return nil
	}
	c.set("Vary", varyCORS)
	r := c.crossOrigin()
	if rule, origin := r.match(route.Settings.CORS); rule != nil {
		c.setCORS(&r, rule, origin)
	}
	return nil
}

// claimedTenant is the tenant of who claims to have that access key, and the one of
// requests that nobody signed otherwise. No more than bucket settings may depend on it.
func (s *Server) claimedTenant(accessKey string) string {
	if id, ok := s.Identities.Identity(accessKey); ok {
		return id.TenantID
	}
	return s.AnonymousTenant
}

// setCORS writes what a rule allows.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
func (c *call) setCORS(r *crossOrigin, rule *router.CORSRule, origin string) {
	c.set("Access-Control-Allow-Origin", origin)
	c.set("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethods, ", "))
	if len(r.headers) > 0 {
		names := make([]string, len(r.headers))
		for i, name := range r.headers {
			names[i] = strings.ToLower(strings.TrimSpace(name))
		}
		c.set("Access-Control-Allow-Headers", strings.Join(names, ", "))
	}
	if len(rule.ExposeHeaders) > 0 {
		c.set("Access-Control-Expose-Headers", strings.Join(rule.ExposeHeaders, ", "))
	}
	if rule.MaxAgeSeconds != nil {
		c.set("Access-Control-Max-Age", itoa(*rule.MaxAgeSeconds))
	}
	if origin != "*" { // Browsers do not take both.
		c.set("Access-Control-Allow-Credentials", "true")
	}
}

// match returns the first rule that allows the request, and the origin to answer with.
func (r *crossOrigin) match(rules []router.CORSRule) (rule *router.CORSRule, origin string) {
	for i := range rules {
		rule := &rules[i]
		at := slices.IndexFunc(rule.AllowedOrigins, func(pattern string) bool { return matchWildcard(pattern, r.origin) })
		if at < 0 || !slices.Contains(rule.AllowedMethods, r.method) || !r.headersAllowed(rule) {
			continue
		}
		if rule.AllowedOrigins[at] == "*" {
			return rule, "*"
		}
		return rule, r.origin
	}
	return nil, ""
}

// headersAllowed reports whether a rule allows each header.
func (r *crossOrigin) headersAllowed(rule *router.CORSRule) bool {
	if len(r.headers) > maxHeaders {
		return false // of a request that would be refused
	}
	if len(r.headers) == 0 {
		return true
	}
	// Nobody has signed this: there may be thousands of patterns, which each name would be held against.
	exact, wild := map[string]bool{}, []string(nil)
	for _, pattern := range rule.AllowedHeaders {
		pattern = strings.ToLower(pattern)
		if strings.Contains(pattern, "*") {
			wild = append(wild, pattern)
		} else {
			exact[pattern] = true
		}
	}
	for _, name := range r.headers {
		name = strings.ToLower(strings.TrimSpace(name))
		if !exact[name] && !slices.ContainsFunc(wild, func(pattern string) bool { return matchWildcard(pattern, name) }) {
			return false
		}
	}
	return true
}

// matchWildcard reports whether s matches a pattern that may have one "*", for any characters.
func matchWildcard(pattern, s string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return s == pattern
	}
	return len(s) >= len(before)+len(after) && strings.HasPrefix(s, before) && strings.HasSuffix(s, after)
}

// corsRules is the document of PutBucketCors.
type corsRules []router.CORSRule

// read reads the document.
func (l *corsRules) read(e *elements) error {
	err := e.children(func(name string) error {
		if name != "CORSRule" {
			return nil
		}
		var rule router.CORSRule
		if err := readCORSRule(e, &rule); err != nil {
			return err
		}
		*l = append(*l, rule)
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(*l) == 0:
		return malformed(nil)
	case len(*l) > maxCORSRules:
		return s3err.Newf(s3err.InvalidRequest, "The number of CORS rules should not exceed allowed limit of %d rules.", maxCORSRules)
	}
	for i := range *l {
		if err := checkCORSRule(&(*l)[i]); err != nil {
			return err
		}
	}
	return nil
}

// readCORSRule reads a CORSRule.
func readCORSRule(e *elements, rule *router.CORSRule) error {
	var id, age *string
	err := e.children(func(name string) error {
		one := map[string]**string{"ID": &id, "MaxAgeSeconds": &age}[name]
		many := map[string]*[]string{
			"AllowedHeader": &rule.AllowedHeaders, "AllowedMethod": &rule.AllowedMethods,
			"AllowedOrigin": &rule.AllowedOrigins, "ExposeHeader": &rule.ExposeHeaders,
		}[name]
		switch {
		case one != nil && *one != nil:
			return malformed(nil)
		case one != nil:
			return e.textTo(one)
		case many == nil:
			return nil
		}
		text, err := e.text()
		*many = append(*many, text)
		return err
	})
	if err != nil {
		return err
	}
	if id != nil {
		rule.ID = *id
	}
	if age != nil {
		n, err := strconv.ParseInt(strings.TrimSpace(*age), 10, 32)
		if err != nil {
			return malformed(err)
		}
		seconds := int32(n)
		rule.MaxAgeSeconds = &seconds
	}
	return nil
}

// checkCORSRule refuses a rule that S3 does not take.
func checkCORSRule(rule *router.CORSRule) error {
	if len(rule.AllowedOrigins) == 0 || len(rule.AllowedMethods) == 0 || len([]rune(rule.ID)) > maxCORSRuleID {
		return malformed(nil)
	}
	for _, m := range rule.AllowedMethods {
		if !slices.Contains(corsMethods, m) {
			return s3err.Newf(s3err.InvalidRequest, "Found unsupported HTTP method in CORS config. Unsupported method is %s", m)
		}
	}
	for _, o := range rule.AllowedOrigins {
		if strings.Count(o, "*") > 1 {
			return s3err.Newf(s3err.InvalidRequest, `AllowedOrigin "%s" can not have more than one wildcard.`, o)
		}
	}
	for _, h := range rule.AllowedHeaders {
		switch {
		case strings.Count(h, "*") > 1:
			return s3err.Newf(s3err.InvalidRequest, `AllowedHeader "%s" can not have more than one wildcard.`, h)
		case !isHeader(h, ""):
			return s3err.Newf(s3err.InvalidRequest, `AllowedHeader "%s" contains invalid character.`, h)
		}
	}
	for _, h := range rule.ExposeHeaders {
		switch {
		case strings.Contains(h, "*"):
			return s3err.Newf(s3err.InvalidRequest, `ExposeHeader "%s" contains wildcard. We currently do not support wildcard for ExposeHeader.`, h)
		case !isHeader(h, ""):
			return s3err.Newf(s3err.InvalidRequest, `AllowedHeader "%s" contains invalid character.`, h)
		}
	}
	return nil
}

// corsDoc is the document of rules.
func corsDoc(rules []router.CORSRule) *doc {
	d := newResult("CORSConfiguration")
	for i := range rules {
		r := &rules[i]
		d.open("CORSRule")
		d.texts("AllowedHeader", r.AllowedHeaders)
		d.texts("AllowedMethod", r.AllowedMethods)
		d.texts("AllowedOrigin", r.AllowedOrigins)
		d.texts("ExposeHeader", r.ExposeHeaders)
		d.ptr("ID", optional(r.ID))
		if r.MaxAgeSeconds != nil {
			d.int("MaxAgeSeconds", int64(*r.MaxAgeSeconds))
		}
		d.close("CORSRule")
	}
	d.close("CORSConfiguration")
	return d
}

// texts writes an element for each of list.
func (d *doc) texts(name string, list []string) {
	for _, s := range list {
		d.text(name, s)
	}
}
