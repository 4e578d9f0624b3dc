// Dropin takes guard's listeners where well-known servers take a net.Listener,
// each on a low port, lets go of every privilege, and asks each of them as a
// client: net/http, net/http with TLS, autocert's pattern and grpc. It prints
// the names of those that answered.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/acme/autocert"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/guard"
)

const host = "lab.example"

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello ", r.Proto) })

func main() {
	plain, secure := guard.MustBind(":80"), guard.MustBind(":443")
	auto, rpc := guard.MustBind("127.0.0.1:444"), guard.MustBind(":50")
	if err := drop.All(); err != nil {
		log.Fatal(err)
	}
	cert, err := certificate()
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}

	go http.Serve(plain, hello)
	go (&http.Server{Handler: hello, TLSConfig: config}).ServeTLS(secure, "", "")
	manager, err := manager(cert)
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(tls.NewListener(auto, manager.TLSConfig()), hello)
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go server.Serve(rpc)

	for _, try := range []struct {
		name string
		ask  func() error
	}{
		{"net/http", func() error { return get("http://127.0.0.1/") }},
		{"tls", func() error { return get("https://127.0.0.1/") }},
		{"autocert", func() error { return get("https://" + host + ":444/") }},
		{"grpc", check},
	} {
		if err := try.ask(); err != nil {
			log.Fatal(try.name, ": ", err)
		}
		fmt.Println(try.name)
	}
}

func get(url string) error {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
		},
	}}
	r, err := client.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && string(b) != "hello HTTP/1.1" {
		err = fmt.Errorf("answer %q", b)
	}
	return err
}

// check asks grpc's own health service.
func check() error {
	c, err := grpc.NewClient("127.0.0.1:50", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err == nil && r.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		err = fmt.Errorf("status %v", r.Status)
	}
	return err
}

// manager is autocert with a certificate in its cache: no authority is asked.
func manager(cert tls.Certificate) (*autocert.Manager, error) {
	dir, err := os.MkdirTemp("", "dropin")
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		return nil, err
	}
	both := append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})...)
	if err := os.WriteFile(filepath.Join(dir, host), both, 0o600); err != nil {
		return nil, err
	}
	return &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(host), Cache: autocert.DirCache(dir)}, nil
}

func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour * 24 * 90)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
