// Package factstest shows facts to tests.
package factstest

import (
	"fmt"
	"reflect"

	"github.com/lowport/lowport/internal/facts"
)

// Words returns every fact of f by name, such as "File.Exe.Nosuid", in the words
// "known VALUE", "absent REASON" or "unreadable REASON".
func Words(f facts.Facts) map[string]string {
	all := map[string]string{}
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			name, field := prefix+v.Type().Field(i).Name, v.Field(i)
			if field.Type() == reflect.TypeFor[facts.Launch]() {
				continue // is not read
			}
			if !field.FieldByName("State").IsValid() { // a group of facts
				walk(name+".", field)
				continue
			}
			state := field.FieldByName("State").Interface().(facts.State)
			all[name] = fmt.Sprintf("%v %v", state, field.FieldByName("Reason"))
			if state == facts.Known {
				all[name] = fmt.Sprintf("known %+v", field.FieldByName("Value"))
			}
		}
	}
	walk("", reflect.ValueOf(f))
	return all
}

// Plain returns the items of a record as text, in which no data is empty data.
func Plain(r facts.Record) map[string][2]string {
	all := map[string][2]string{}
	for name, item := range r {
		all[name] = [2]string{string(item.Data), item.Err}
	}
	return all
}
