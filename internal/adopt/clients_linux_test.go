package adopt

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/net/dns/dnsmessage"
)

// getHTTP returns a client that gets a page on port 80.
func getHTTP(path string) func() error {
	return func() error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		return get(client, "http://127.0.0.1"+path)
	}
}

func get(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || len(body) == 0) {
		err = fmt.Errorf("%s: %s, %q", url, resp.Status, body)
	}
	return err
}

// getHTTPS gets a page on port 443, to which port 80 has to redirect.
func getHTTPS() error {
	dialer := new(net.Dialer)
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	secure := false
	client := &http.Client{Transport: transport, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		secure = next.URL.String() == "https://server.test/"
		return nil
	}}
	if err := get(client, "http://server.test/"); err != nil {
		return err
	}
	if !secure {
		return errors.New("no redirect from port 80 to port 443")
	}
	return nil
}

// writeCertificate writes a certificate where autocert looks for the one of server.test.
func writeCertificate(t *testing.T, dir string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"server.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
	if err := os.WriteFile(filepath.Join(dir, "server.test"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkHealth calls grpc.health.v1.Health/Check.
func checkHealth() error {
	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, Protocols: h2c}}
	noMessage := bytes.NewReader(make([]byte, 5)) // not compressed, of length 0
	resp, err := client.Post("http://127.0.0.1:443/grpc.health.v1.Health/Check", "application/grpc", noMessage)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	serving := []byte{0, 0, 0, 0, 2, 8, 1} // field 1, SERVING
	if err == nil && (resp.Trailer.Get("Grpc-Status") != "0" || !bytes.Equal(body, serving)) {
		err = fmt.Errorf("%v, %q", resp.Trailer, body)
	}
	return err
}

// runSSH opens a session.
func runSSH() error {
	client, err := ssh.Dial("tcp", "127.0.0.1:22", &ssh.ClientConfig{User: "app", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	out, err := session.Output("")
	if err == nil && string(out) != "hello\n" {
		err = fmt.Errorf("it says %q", out)
	}
	return err
}

func sendMail() error {
	return smtp.SendMail("127.0.0.1:25", nil, "a@server.test", []string{"b@server.test"}, []byte("Subject: hello\r\n\r\n"))
}

// connectMQTT sends CONNECT and reads CONNACK.
func connectMQTT() error {
	connect := "\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a" // version 3.1.1, clean session
	return exchange("tcp", "127.0.0.1:443", []byte(connect), []byte("\x20\x02\x00\x00"))
}

func echo() error { return exchange("tcp", "127.0.0.1:7", []byte("hello"), []byte("hello")) }

// exchange sends bytes and expects others.
func exchange(network, address string, ask, want []byte) error {
	conn, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(ask); err != nil {
		return err
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("it answers %q", got)
	}
	return nil
}

// resolve asks a name server over UDP and TCP.
func resolve() error {
	name := dnsmessage.MustNewName("server.test.")
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 1, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	wire, err := query.Pack()
	if err != nil {
		return err
	}
	for _, network := range []string{"udp", "tcp"} {
		ask := wire
		if network == "tcp" {
			ask = append([]byte{0, byte(len(wire))}, wire...)
		}
		if err := askDNS(network, ask); err != nil {
			return err
		}
	}
	return nil
}

func askDNS(network string, ask []byte) error {
	conn, err := net.Dial(network, "127.0.0.1:53")
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(ask); err != nil {
		return err
	}
	answer := make([]byte, 2048)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	answer = answer[:n]
	if network == "tcp" {
		answer = answer[min(n, 2):]
	}
	var m dnsmessage.Message
	if err := m.Unpack(answer); err != nil {
		return err
	}
	if !m.Response || m.ID != 1 || m.RCode != dnsmessage.RCodeSuccess {
		return fmt.Errorf("%s: %v", network, m.GoString())
	}
	return nil
}
