package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// pinned is an action by commit, with its version for the reader.
var pinned = regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)

// workflow returns the run: steps of a job as GitHub's runner executes them, each a script for
// "bash -e" with its environment. The file has to please actionlint, may read the source and
// nothing else, and has to name actions by commit.
func workflow(file, job string) ([]string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	linter, err := actionlint.NewLinter(os.Stderr, &actionlint.LinterOptions{})
	if err != nil {
		return nil, err
	}
	if problems, err := linter.Lint(file, content, nil); err != nil || len(problems) > 0 {
		return nil, fmt.Errorf("%s: %d problems, %v", file, len(problems), err)
	}
	w, problems := actionlint.Parse(content)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	if err := readOnly(w); err != nil {
		return nil, err
	}
	j := w.Jobs[job]
	if j == nil {
		return nil, fmt.Errorf("no job %q", job)
	}
	var scripts []string
	for _, step := range j.Steps {
		switch exec := step.Exec.(type) {
		case *actionlint.ExecAction:
			if !pinned.MatchString(exec.Uses.Value) {
				return nil, fmt.Errorf("%s is not pinned by its commit", exec.Uses.Value)
			}
		case *actionlint.ExecRun:
			if exec.Shell != nil || exec.WorkingDirectory != nil || step.If != nil || step.ContinueOnError != nil || strings.Contains(exec.Run.Value, "${{") {
				return nil, fmt.Errorf("not translated: %q", exec.Run.Value)
			}
			scripts = append(scripts, exports(w.Env, j.Env, step.Env)+exec.Run.Value+"\n")
		}
	}
	return scripts, nil
}

// readOnly reports a workflow whose token may do more than read the contents.
func readOnly(w *actionlint.Workflow) error {
	if w.Permissions == nil || w.Permissions.All != nil || len(w.Permissions.Scopes) != 1 {
		return fmt.Errorf("its permissions are not to read the contents alone")
	}
	if c := w.Permissions.Scopes["contents"]; c == nil || c.Value.Value != "read" {
		return fmt.Errorf("its permissions are not to read the contents alone")
	}
	for name, j := range w.Jobs {
		if j.Permissions != nil {
			return fmt.Errorf("job %s has permissions of its own", name)
		}
	}
	return nil
}

// exports sets the variables; those of the step go before those of the job and the workflow.
func exports(all ...*actionlint.Env) string {
	vars := map[string]string{}
	for _, env := range all {
		if env == nil {
			continue
		}
		for _, v := range env.Vars {
			vars[v.Name.Value] = v.Value.Value
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		fmt.Fprintf(&b, "export %s='%s'\n", name, strings.ReplaceAll(vars[name], "'", `'\''`))
	}
	return b.String()
}
