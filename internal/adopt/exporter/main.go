// Exporter is a metrics exporter on the toolkit of Prometheus, which binds by itself. It logs
// with log/slog, in JSON.
package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/lowport/lowport/guard" // new
)

func main() {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "up 1") })
	noConfig := ""
	flags := &web.FlagConfig{WebListenAddresses: &[]string{":80"}, WebConfigFile: &noConfig}
	err := web.ListenAndServe(new(http.Server), flags, logger)
	logger.Error("not serving", "error", guard.Explain(err)) // was: logger.Error("not serving", "error", err)
	os.Exit(1)
}
