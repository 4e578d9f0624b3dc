package adopt

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/guardtest"
	"github.com/lowport/lowport/internal/diff"
)

var update = flag.Bool("update", false, "write docs/adopt.md and testdata")

// How a refusal reads in the lines of common loggers, as they are set up by default, without
// the time.
func TestLogs(t *testing.T) {
	_, err := guardtest.KubernetesRestricted.Bind(":443")
	var refused *guard.Error
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	wrapped := fmt.Errorf("start: %w", err)
	untimed := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	var b bytes.Buffer
	config := zap.NewProductionEncoderConfig()
	config.TimeKey = ""
	zapped := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.AddSync(&b), zap.InfoLevel))
	inJSON := slog.New(slog.NewJSONHandler(&b, untimed))
	text := slog.New(slog.NewTextHandler(&b, untimed))
	zero := zerolog.New(&b)
	var page strings.Builder
	for _, line := range []struct {
		what string
		log  func()
	}{
		{"slog, JSON", func() { inJSON.Error("no listener", "error", err) }},
		{"slog, JSON, wrapped", func() { inJSON.Error("no listener", "error", wrapped) }},
		{"slog, text", func() { text.Error("no listener", "error", err) }},
		{"slog, text, wrapped", func() { text.Error("no listener", "error", wrapped) }},
		{"zap", func() { zapped.Error("no listener", zap.Error(err)) }},
		{"zap, wrapped", func() { zapped.Error("no listener", zap.Error(wrapped)) }},
		{"zap, sugared", func() { zapped.Sugar().Errorf("no listener: %v", err) }},
		{"zerolog", func() { zero.Error().Err(err).Msg("no listener") }},
		{"zerolog, wrapped", func() { zero.Error().Err(wrapped).Msg("no listener") }},
		{"zerolog, the report", func() { zero.Error().Any("report", refused.Report).Msg("no listener") }},
	} {
		b.Reset()
		line.log()
		if !strings.Contains(line.what, "text") && !json.Valid(b.Bytes()) {
			t.Errorf("%s: no JSON: %s", line.what, &b)
		}
		cause, fix := strings.Index(b.String(), "["+refused.Causes[0].ID+"]"), strings.Index(b.String(), "ip_unprivileged_port_start")
		if !strings.Contains(line.what, "the report") && (cause < 0 || fix < cause) || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%s: not in one line, or without its cause and then its fix: %s", line.what, &b)
		}
		fmt.Fprintf(&page, "%s:\n%s\n", line.what, &b)
	}
	const golden = "testdata/logs.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff.Of(string(want), page.String()); d != "" {
		t.Errorf("%s differs:\n%s", golden, d)
	}
}
