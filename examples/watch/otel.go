package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdk "go.opentelemetry.io/otel/sdk/log"

	"github.com/lowport/lowport/internal/term"
)

// shutdown is how long the records that are left may take to be sent at the end.
const shutdown = 5 * time.Second

// openLogs returns a logger whose records go to an OpenTelemetry collector, and a function that
// sends those that are left. The variables OTEL_EXPORTER_OTLP_… say which collector, and
// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES who is speaking. A record that cannot be sent is
// said on standard error, and the watch goes on.
func openLogs() (log.Logger, func(), error) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { fmt.Fprintln(os.Stderr, "watch: OpenTelemetry:", err) }))
	exporter, err := otlploghttp.New(context.Background())
	if err != nil {
		return nil, nil, err
	}
	provider := sdk.NewLoggerProvider(sdk.WithProcessor(sdk.NewBatchProcessor(exporter)))
	return provider.Logger("github.com/lowport/lowport/examples/watch"), func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdown)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			otel.Handle(err)
		}
	}, nil
}

// logRecord returns the report as a log record: its text, and attributes by the names of
// OpenTelemetry's conventions. Those that begin with "lowport." are what
// [report.Report.LogValue] begins with, such as the cause and the first fix.
func (r *report) logRecord() (out log.Record) {
	out.SetEventName("lowport.refusal")
	out.SetTimestamp(r.Time)
	out.SetSeverity(log.SeverityError)
	out.SetSeverityText("ERROR")
	out.SetBody(attribute.StringValue(r.Report.String()))
	out.AddAttributes(r.who()...)
	for _, a := range r.Report.LogValue().Group() {
		if a.Value.Kind() == slog.KindString {
			out.AddAttributes(attribute.String("lowport."+a.Key, a.Value.String()))
		}
	}
	return out
}

// logRecord says how often a situation came again.
func (r repeat) logRecord() (out log.Record) {
	out.SetEventName("lowport.again")
	out.SetTimestamp(r.last)
	out.SetSeverity(log.SeverityWarn)
	out.SetSeverityText("WARN")
	out.SetBody(attribute.StringValue(r.line()))
	out.AddAttributes(append(r.first.who(), attribute.Int("lowport.again", r.again))...)
	return out
}

// who names the process and what it is part of, as far as that is known.
func (r *report) who() []attribute.KeyValue {
	known := []attribute.KeyValue{attribute.Int("process.pid", r.PID)}
	for _, a := range []attribute.KeyValue{
		attribute.String("process.executable.name", r.Command), attribute.String("process.executable.path", r.Exe),
		attribute.String("systemd.unit", term.Show(r.Unit)), attribute.String("container.id", r.Container), attribute.String("k8s.pod.uid", r.Pod),
	} {
		if a.Value.AsString() != "" {
			known = append(known, a)
		}
	}
	return known
}
