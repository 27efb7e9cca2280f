package s3servers

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/xronox/xronox-proxy/backends/backendtest"
)

// minioEncrypting starts a MinIO with a key and a certificate.
func (p *process) minioEncrypting() error {
	certs := p.dir("certs")
	roots, err := writeCertificate(certs)
	if err != nil {
		return err
	}
	p.roots = roots
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	return p.minioWith([]string{"--certs-dir", certs}, []string{"MINIO_KMS_SECRET_KEY=test-key:" + key})
}

// writeCertificate makes a certificate of loopback, writes it to where MinIO looks, and returns who trusts it.
func writeCertificate(dir string) (*x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(filepath.Join(dir, "public.crt"), public, 0o600); err != nil {
		return nil, err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(public)
	return roots, os.WriteFile(filepath.Join(dir, "private.key"), private, 0o600)
}

// clientOf is a client that trusts roots.
func clientOf(roots *x509.CertPool) *http.Client {
	if roots == nil {
		return http.DefaultClient
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

// OfMinIOEncrypting is what is known of [MinIOEncrypting].
func OfMinIOEncrypting() Known {
	k := OfMinIO()
	for _, a := range []backendtest.Ability{backendtest.ManagedKeys, backendtest.KMSKeys, backendtest.CustomerKeys} {
		delete(k.Lacks, a)
	}
	return k
}
