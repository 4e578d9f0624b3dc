package kernel

import (
	"fmt"
	"html"
	"strings"
)

// The picture's columns, in pixels: the arrow that passes gates by, the gates, and the causes
// of a refusal at each.
const (
	passX   = 40
	gateX   = 70
	gateW   = 490
	refuseX = 620
	refuseW = 400
	row     = 20 // a line of text
	gateH   = 2*row + 14
	gap     = 34 // between one gate and the next
)

// Picture returns docs/decision.svg: the gates of a bind, and beside each the causes of a
// refusal there.
func Picture() string {
	var b strings.Builder
	y := 20
	first := drawGate(&b, y, "address and port", "Is it an address at all?", []string{"address-invalid", "host-unresolved"}, "EINVAL, or before the kernel")
	from := y + gateH
	y += first + gap
	drawArrow(&b, from, y, "yes")
	port := 0 // the y of the gate of the port, until the arrow that starts there is drawn
	for _, g := range Gates {
		answer, name := "yes", g.Name
		if g.asked.name != "" {
			name += ", " + g.asked.name
		}
		if port > 0 && g.asked.name != privileged.name {
			from, to := port+24, y+12
			fmt.Fprintf(&b, `<path class="way" d="M%d %d H%d V%d H%d" marker-end="url(#head)"/>`+"\n", gateX, from, passX, to, gateX-2)
			text(&b, "answer", passX-24, from-6, "yes")
			port = 0
		}
		height := drawGate(&b, y, name, g.Question, g.Causes, errnosOf[g.Name])
		if g.Name == "port" {
			port, answer = y, "no"
		}
		drawArrow(&b, y+gateH, y+height+gap, answer)
		y += height + gap
	}
	fmt.Fprintf(&b, `<rect class="bound" x="%d" y="%d" width="%d" height="34" rx="6"/>`+"\n", gateX, y, gateW)
	text(&b, "name", gateX+14, y+22, "bound")
	height := y + 34 + 20
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="The gates of a bind and the causes of a refusal at each">
<style>
text { font: 14px ui-monospace, monospace; fill: #1f2328 }
.name { font-weight: bold } .answer { fill: #57606a }
.page { fill: #ffffff } rect { fill: #f6f8fa; stroke: #57606a }
.refusal { fill: #ffebe9; stroke: #cf222e } .bound { fill: #dafbe1; stroke: #1a7f37 }
.page { stroke: none } .way { fill: none; stroke: #57606a } .tip { fill: #57606a }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>
<rect class="page" width="100%%" height="100%%"/>
`, refuseX+refuseW+20, height) + b.String() + "</svg>\n"
}

// errnosOf are the answers at the gates, as the picture names them.
var errnosOf = map[string]string{
	"start": "EPERM", "socket": "EAFNOSUPPORT, EPROTONOSUPPORT, …", "policy": "EACCES, EPERM, …", "address": "EADDRNOTAVAIL, EINVAL",
	"permitted": "EACCES", "namespace": "EACCES", "profile": "EACCES", "free": "EADDRINUSE", "listen": "EACCES, EPERM, …",
}

// drawGate draws a gate at y and, unless no is "", the refusal beside it. It
// returns the height of the higher one.
func drawGate(b *strings.Builder, y int, name, question string, causes []string, no string) int {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n", gateX, y, gateW, gateH)
	text(b, "name", gateX+14, y+row+2, name)
	text(b, "question", gateX+14, y+2*row+2, question)
	if no == "" {
		return gateH
	}
	lines := fold(causes, (refuseW-28)/9)
	beside := (len(lines)+1)*row + 14
	fmt.Fprintf(b, `<rect class="refusal" x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n", refuseX, y, refuseW, beside)
	text(b, "name", refuseX+14, y+row+2, no)
	for i, l := range lines {
		text(b, "causes", refuseX+14, y+(i+2)*row+2, l)
	}
	fmt.Fprintf(b, `<path class="way" d="M%d %d H%d" marker-end="url(#head)"/>`+"\n", gateX+gateW, y+24, refuseX-2)
	text(b, "answer", gateX+gateW+24, y+18, "no")
	return max(gateH, beside)
}

// drawArrow draws the way down from one gate to the next.
func drawArrow(b *strings.Builder, from, to int, answer string) {
	fmt.Fprintf(b, `<path class="way" d="M%d %d V%d" marker-end="url(#head)"/>`+"\n", gateX+gateW/2, from, to-2)
	text(b, "answer", gateX+gateW/2+10, from+gap/2+4, answer)
}

func text(b *strings.Builder, class string, x, y int, s string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x, y, html.EscapeString(s))
}

// fold puts words into lines of at most so many columns.
func fold(words []string, columns int) []string {
	var lines []string
	for _, w := range words {
		if n := len(lines) - 1; n >= 0 && len(lines[n])+2+len(w) <= columns {
			lines[n] += ", " + w
		} else {
			lines = append(lines, w)
		}
	}
	return lines
}
