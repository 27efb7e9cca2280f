package clients

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
)

// secured is the endpoint behind TLS, as a load balancer has it. SDKs that trust
// the connection send bodies otherwise than over plain HTTP: with an unsigned
// payload and the checksum in a trailer.
func (e endpoint) secured(dir string) (endpoint, io.Closer, error) {
	// httptest has a certificate for 127.0.0.1; nothing else of it is used.
	borrowed := httptest.NewTLSServer(http.NotFoundHandler())
	borrowed.Close()
	e.ca = filepath.Join(dir, "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: borrowed.Certificate().Raw})
	if err := os.WriteFile(e.ca, block, 0o600); err != nil {
		return endpoint{}, nil, err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: borrowed.TLS.Certificates})
	if err != nil {
		return endpoint{}, nil, err
	}
	go forward(listener, strings.TrimPrefix(e.url, "http://"))
	e.url = "https://" + listener.Addr().String()
	return e, listener, nil
}

// roots are the certificates that the endpoint's server is to be trusted by.
func (e endpoint) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	if block, err := os.ReadFile(e.ca); err != nil || !pool.AppendCertsFromPEM(block) {
		panic("BUG: " + e.ca + " is not a certificate")
	}
	return pool
}

// forward copies the bytes of every connection to and from a connection to
// address, unread, until the listener is closed.
func forward(listener net.Listener, address string) {
	forwardBy(listener, address, pipe)
}

// pipe copies what there is; a client may hang up at any time.
func pipe(to io.Writer, from io.Reader) { _, _ = io.Copy(to, from) }

// forwardBy forwards with a function that copies what the server answers.
func forwardBy(listener net.Listener, address string, answers func(client io.Writer, server io.Reader)) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			defer server.Close()
			done := make(chan struct{}, 2)
			go func() { pipe(server, client); done <- struct{}{} }()
			go func() { answers(client, server); done <- struct{}{} }()
			<-done
		}()
	}
}
