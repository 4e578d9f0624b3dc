// Grpc is a gRPC server with the service grpc.health.v1.Health.
package main

import (
	"context" // new
	"log"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/lowport/lowport/caps/drop" // was: "net"
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	ln, err := guard.Listen(context.Background(), "tcp", ":443") // was: ln, err := net.Listen("tcp", ":443")
	if err != nil {
		log.Fatal(err)
	}
	if err := drop.All(); err != nil { // new
		log.Fatal(err) // new
	} // new
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	log.Fatal(s.Serve(ln))
}
