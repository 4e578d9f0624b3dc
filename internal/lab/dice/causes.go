package dice

// A standing is what a cause stands for.
type standing struct {
	keep   string   // the knobs that it blames together
	unit   string   // further ones in a unit
	remove []string // the ways to take it away, each some knobs, or a knob and another value; keep, if there is none
	gates  string   // the gates at which it refuses; one of them does not say yes
}

// causes has the knobs that each cause stands for. It is all that the judge knows of the guard:
// where a cause blames a combination, keep has all of it.
var causes = map[string]standing{
	"no-capability":           {keep: "file grant user", remove: []string{"file", "file=ep"}, gates: "permitted"},
	"bounding-only":           {keep: "file grant user bounding", remove: []string{"file", "file=ep"}, gates: "permitted"},
	"inheritable-only":        {keep: "file grant", remove: []string{"file", "file=ep"}, gates: "permitted"},
	"file-caps-partial":       {keep: "file", remove: []string{"file", "file=ep", "file=more"}, gates: "permitted"},
	"ambient-cleared-by-file": {keep: "file grant", remove: []string{"file"}, gates: "permitted"},
	"lost-on-uid-change":      {keep: "change file grant", remove: []string{"change", "file"}, gates: "permitted"},
	"let-go":                  {keep: "before user", remove: []string{"before"}, gates: "permitted"},
	"not-raised":              {keep: "file before", gates: "permitted"},
	"threads-differ":          {keep: "before", gates: "permitted"},
	"file-replaced":           {gates: "permitted"},
	"no-file-caps":            {gates: "permitted"},
	"no-new-privs":            {keep: "nnp", unit: "sandbox sandbox2 seccomp user", gates: "permitted"},
	"traced-exec":             {keep: "tracer", gates: "permitted"},
	"nosuid-mount":            {keep: "mount", unit: "sandbox sandbox2 user nnp seccomp", gates: "permitted"},
	"xattr-unsupported":       {keep: "mount", gates: "permitted"},
	"foreign-mount":           {keep: "mount", gates: "permitted"},
	"rootid-mismatch":         {keep: "file userns mount", remove: []string{"file", "userns", "mount", "file mount"}, gates: "permitted"},
	"bounding-excludes":       {keep: "bounding", unit: "sandbox sandbox2", gates: "permitted start"},
	"exec-refused":            {keep: "file bounding", remove: []string{"file", "bounding"}, gates: "start"},
	"noroot-securebit":        {keep: "securebits user file", remove: []string{"securebits"}, gates: "permitted"},
	"foreign-user-namespace":  {keep: "userns", remove: []string{"userns", "userns=own"}, gates: "namespace permitted"},
	"initial-user-namespace":  {keep: "userns", gates: "namespace permitted"},
	"threshold-raised":        {keep: "threshold file grant user before change nnp tracer mount bounding securebits userns folders", remove: []string{"threshold"}, gates: "port permitted"},
	"control-refused":         {keep: "control", gates: "setup"},
	"shared-folders":          {keep: "folders", gates: "permitted"},
	"landlock":                {keep: "landlock mptcp", remove: []string{"landlock"}, gates: "policy"},
	"seccomp":                 {keep: "seccomp", unit: "sandbox sandbox2", gates: "policy socket permitted listen"},
	"bpf-or-policy":           {keep: "seccomp bpf landlock mptcp", gates: "policy socket"},
	"selinux":                 {gates: "policy listen"},
	"apparmor":                {gates: "policy profile listen"},
	"family-unavailable":      {keep: "seccomp address", unit: "sandbox sandbox2 family", remove: []string{"seccomp address sandbox sandbox2", "seccomp address sandbox sandbox2 family", "seccomp sandbox sandbox2"}, gates: "socket"},
	"protocol-unavailable":    {keep: "seccomp", gates: "socket"},
	"resource-limit":          {gates: "socket"},
	"address-in-use":          {keep: "holder", unit: "socket", gates: "free"},
	"address-unavailable":     {keep: "address launcher userns", remove: []string{"address launcher", "address=lo2", "address=lo6"}, gates: "address"},
	"address-tentative":       {keep: "address", remove: []string{"address", "address=lo6"}, gates: "address"},
	"address-invalid":         {keep: "address"},
	"host-unresolved":         {keep: "address"},
	"authbind-bypassed":       {},
	"authbind-refused":        {},
	"go-run":                  {gates: "permitted"},
	"unknown":                 {keep: "launcher"}, // which may have taken /proc away
}

// blames are the knobs that the cause stands for in a situation.
func (c standing) blames(s Situation) []string {
	if s.is("by", "unit") {
		return words(c.keep + " " + c.unit)
	}
	return words(c.keep)
}

// ways are the ways to take a cause away.
func (c standing) ways(s Situation) [][]string {
	if len(c.remove) == 0 {
		return [][]string{c.blames(s)}
	}
	var all [][]string
	for _, way := range c.remove {
		all = append(all, words(way))
	}
	return all
}
