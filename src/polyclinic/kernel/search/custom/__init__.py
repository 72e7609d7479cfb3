"""Search parameters that a tenant defines by SearchParameter resources.

https://hl7.org/fhir/R4/searchparameter.html
"""
