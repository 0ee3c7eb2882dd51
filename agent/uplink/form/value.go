package form

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// textOf is a value as it is written: numbers as they came, what is absent as
// nothing, lists and objects as JSON.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// truth is false for nothing, false, 0, "" and what is empty.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		f, err := v.Float64()
		return err != nil || f != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// number is a value as one, if it is.
func number(v any) (float64, error) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	}
	return 0, fmt.Errorf("%.40q is no number", textOf(v))
}

func numberOf(f float64) json.Number { return json.Number(strconv.FormatFloat(f, 'f', -1, 64)) }

type entry struct{ key, value any }

// itemsOf is what range goes over: objects by their names in order.
func itemsOf(v any) (es []entry, err error) {
	switch v := v.(type) {
	case nil:
	case []any:
		for i, x := range v {
			es = append(es, entry{numberOf(float64(i)), x})
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			es = append(es, entry{k, v[k]})
		}
	default:
		return nil, fmt.Errorf("range over %.40q, which is no list", textOf(v))
	}
	return es, nil
}
