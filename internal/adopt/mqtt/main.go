// Mqtt is a broker of mochi-mqtt that lets everybody in. It logs with log/slog.
package main

import (
	"context" // new
	"log"
	"log/slog"
	"os"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	s := mqtt.New(nil)
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		log.Fatal(err)
	}
	ln, err := guard.Listen(context.Background(), "tcp", ":443") // new
	if err == nil {                                              // new
		err = drop.All() // new
	} // new
	if err == nil { // new
		err = s.AddListener(listeners.NewNet("tcp", ln)) // was: err := s.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: ":443"}))
	} // new
	if err != nil {
		slog.Error("no listener", "error", err)
		os.Exit(1)
	}
	if err := s.Serve(); err != nil {
		log.Fatal(err)
	}
	select {}
}
