package dice

import "encoding/json"

// A Said is what the program of a situation tells: ./guest writes it, the judge reads it.
type Said struct {
	Report    json.RawMessage `json:"report"`
	Text      string          `json:"text"`      // the same report as text
	Line      string          `json:"line"`      // the error in one line, "" where there is none
	Recording string          `json:"recording"` // of the machine, after a refusal
	Failed    string          `json:"failed"`    // why there is no report: not a refusal of the kernel's
}
