package guard

import "github.com/lowport/lowport/guard/report"

// A Report says whether something was granted, and if not, why not and what would help
// here.
type Report = report.Report

// An Error is a refusal with its report. It wraps the error that the kernel or the
// address gave, a *net.OpError for a bind.
type Error = report.Error

// What a report is made of.
type (
	Cause = report.Cause // an obstacle
	Fact  = report.Fact  // a piece of the evidence
	Gate  = report.Gate  // a question on the way to a bind
	Fix   = report.Fix   // a change that helps
	Step  = report.Step  // a part of it
)
