revoke select on deepsearch.own_search from deepsearch_gateway;
drop table if exists deepsearch.device_request, deepsearch.sign_in_code, deepsearch.sign_in_identity;
