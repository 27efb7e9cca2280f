package config

// analyticsShape is the rules of analytics, which v3.1.0 checks in full.
func analyticsShape() shape {
	query := mapShape{of: anyShape{}}
	window := objectShape{fields: []field{
		{name: "newerThan", of: anyText, doc: "ISO 8601 duration."},
		{name: "olderThan", of: anyText, doc: "ISO 8601 duration."},
	}}
	name := field{name: "name", of: said("Rule name is required"), need: required, doc: "Name of the rule."}
	collection := field{name: "collection", of: said("Collection name is required"), need: required, doc: "Name of the collection."}
	return advisory(objectShape{fields: []field{
		{name: "counterRules", doc: "Counters.", of: listShape{of: objectShape{fields: []field{
			name,
			{name: "on", of: listShape{of: oneOf("CREATE", "UPDATE", "DELETE")}, doc: "Operations."},
			{name: "scope", of: oneOf("meta", "payload"), value: textNode("meta"), doc: "What the condition looks at."},
			{name: "when", of: query, need: required, doc: "The condition."},
			{name: "countUnique", of: listShape{of: said("Property name cannot be empty")}, doc: "Properties."},
		}}}},
		{name: "timeBasedRules", doc: "Figures over time.", of: listShape{of: objectShape{fields: []field{
			name, collection,
			{name: "query", of: query, need: required, doc: "The condition."},
			{name: "operation", of: oneOf("count", "sum", "average", "max", "min", "median"), need: required, doc: "The figure."},
			{name: "field", of: anyText, doc: "Its field."},
			{name: "saveMode", of: oneOf("global", "timeframe"), need: required, doc: "How it is kept."},
			{name: "timeframe", of: oneOf("hourly", "daily", "monthly"), doc: "By what."},
			{name: "arguments", of: anyShape{}, doc: "Not checked."},
			{name: "relativeTime", of: window, doc: "Which documents."},
		}}}},
		{name: "crossTenantRules", doc: "Figures over tenants.", of: listShape{of: objectShape{fields: []field{
			name, collection,
			{name: "query", of: query, need: required, doc: "The condition."},
			{name: "mode", of: oneOf("boolean", "sum", "max", "min", "median"), need: required, doc: "The figure."},
			{name: "field", of: anyText, doc: "Its field."},
			{name: "masterTenantId", of: said("Master tenant ID is required"), need: required, doc: "Whose it is."},
			{name: "slaveTenantIds", of: listShape{of: said("Slave tenant ID cannot be empty"), minMessage: "At least one slave tenant is required"}, need: required, doc: "Over whom."},
			{name: "relativeTime", of: window, doc: "Which documents."},
		}}}},
		{name: "tenants", of: listShape{of: said("Tenant ID cannot be empty")}, doc: "Whose figures."},
	}})
}
