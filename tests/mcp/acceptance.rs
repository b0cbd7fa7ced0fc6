//! What a server has to do so that every client in use works with it, rule by
//! rule, and the tests that hold each rule. A rule is a MUST of a revision of
//! the specification or something that real clients broke on.

/// A rule, and the tests of this folder (or, with a slash, of another file
/// under `tests/`) that hold it.
const RULES: &[(&str, &[&str])] = &[
    (
        "server/discover is answered without clientInfo",
        &["discover_needs_no_client_info"],
    ),
    (
        "no _meta, or a key of it missing: -32602 at 400",
        &[
            "a_request_without_a_key_of_its_envelope_gets_32602_at_400",
            "the_header_alone_makes_a_request_modern",
            "malformed_envelopes_are_modern_mistakes",
        ],
    ),
    (
        "a mirroring header absent, different, padded, in another case: -32020 at 400",
        &[
            "the_version_is_mirrored_in_the_header",
            "the_method_is_mirrored_in_the_header",
        ],
    ),
    (
        "Mcp-Name literally or in base64",
        &["the_name_is_mirrored_in_the_header_literally_or_in_base64"],
    ),
    (
        "an unknown version: -32022 with the list that discover gives",
        &["an_unknown_version_gets_32022_and_the_list_that_discover_gives"],
    ),
    (
        "every advertised version is served",
        &["every_advertised_version_is_served_in_an_envelope"],
    ),
    (
        "removed methods: 404 in an envelope, ping and initialize 200 without",
        &[
            "removed_and_unknown_methods_get_404_in_an_envelope",
            "nothing_has_to_come_first_and_no_header_is_needed",
        ],
    ),
    (
        "initialize with each version, with 2026-07-28, with garbage",
        &[
            "a_handshake_answers_the_revision_asked_for",
            "a_handshake_for_any_other_revision_answers_the_newest_that_has_one",
            "a_handshake_is_never_refused_for_its_own_header",
        ],
    ),
    (
        "a legacy result has no resultType",
        &["results_carry_nothing_of_the_later_revision"],
    ),
    (
        "a modern list has ttlMs and cacheScope, and the same bytes twice",
        &["the_list_is_complete_cacheable_and_byte_for_byte_the_same"],
    ),
    (
        "an unknown tool in both eras: -32602 at 200",
        &["an_unknown_tool_is_32602_at_200_and_no_call"],
    ),
    (
        "bad arguments: isError without structuredContent",
        &[
            "a_bad_argument_is_a_result_that_says_which_and_how",
            "every_argument_mistake_names_the_field_and_shows_a_right_example",
            "unknown_argument_names_are_all_named_back",
        ],
    ),
    (
        "over budget: isError that says how long to wait",
        &["over_budget_is_a_result_the_model_can_read_and_obey"],
    ),
    (
        "a notification: 202 and nothing else",
        &["a_notification_gets_202_and_nothing_else"],
    ),
    (
        "batches in 2025-03-26 only",
        &[
            "batches_are_for_2025_03_26_only",
            "a_batch_is_answered_in_order_without_its_notifications",
            "a_batch_that_is_wrong_as_a_whole_runs_nothing",
        ],
    ),
    (
        "GET, HEAD, DELETE: 405 with Allow",
        &["other_verbs_get_405_with_allow_at_once"],
    ),
    (
        "OPTIONS names verbs and header fields; every answer is readable by pages",
        &[
            "a_preflight_names_verbs_and_header_fields",
            "every_answer_may_be_read_by_a_page",
        ],
    ),
    (
        "Accept of event streams only: one event; never 406",
        &[
            "a_client_that_reads_only_event_streams_gets_one_event",
            "no_accept_field_is_ever_answered_by_406",
        ],
    ),
    (
        "subscriptions/listen: acknowledged as empty, then its end",
        &["listening_is_acknowledged_as_empty_and_ends_at_once"],
    ),
    (
        "a Host that is not ours: 403; an Origin is absent or a website",
        &[
            "a_host_that_is_not_ours_is_refused",
            "an_origin_is_absent_or_a_website",
        ],
    ),
    (
        "/mcp, /mcp/ and /sse are one",
        &["the_three_paths_are_one_endpoint"],
    ),
    (
        "looking for a login: 404 in JSON",
        &["looking_for_a_login_ends_in_a_json_404"],
    ),
    (
        "a body over the cap, 4 MiB and a byte included: 413",
        &["a_body_over_the_cap_gets_413"],
    ),
    (
        "text/plain: 415",
        &["a_body_has_to_be_json_by_its_media_type"],
    ),
    (
        "a stale session is ignored",
        &["a_stale_session_is_ignored_and_none_is_minted"],
    ),
    (
        "tool definitions that the strictest client takes, pinned",
        &[
            "names_are_what_the_strictest_client_takes",
            "every_tool_has_a_title_and_all_four_hints",
            "an_input_schema_is_one_flat_closed_object",
            "no_schema_refers_anywhere",
            "the_bytes_of_the_tool_list_are_pinned",
        ],
    ),
    (
        "real clients: TypeScript 1 and 2, mcp-remote, Inspector, rmcp; Python",
        &[
            "e2e/clients.test.mjs",
            "e2e/lab/clients.test.mjs",
            "python/test_client.py",
        ],
    ),
    (
        "real results obey their output schemas and stay affordable",
        &["e2e/lab/results.test.mjs"],
    ),
];

const FILES: [&str; 6] = [
    include_str!("calls.rs"),
    include_str!("catalog.rs"),
    include_str!("discovery.rs"),
    include_str!("legacy.rs"),
    include_str!("modern.rs"),
    include_str!("transport.rs"),
];

#[test]
fn every_rule_is_held_by_tests_that_exist() {
    for (rule, tests) in RULES {
        assert!(!tests.is_empty(), "{rule}");
        for test in *tests {
            let exists = match test.contains('/') {
                true => std::path::Path::new("tests").join(test).is_file(),
                false => {
                    let line = format!("#[test]\nfn {test}() {{");
                    FILES.iter().any(|file| file.contains(&line))
                }
            };
            assert!(exists, "{rule}: there is no test {test}");
        }
    }
}
