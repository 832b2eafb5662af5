from scheduled_pipeline.cli.drift.attributes import attributes

PLACE = {"partition": "aws-cn", "region": "cn-north-1", "account": "111122223333"}


def test_arns_are_made_from_physical_ids() -> None:
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/team/"}},
        "Plain": {"Type": "AWS::IAM::Role"},
        "Odd": {"Type": "AWS::IAM::Role", "Properties": {"Path": {"Ref": "Path"}}},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Rule": {"Type": "AWS::Events::Rule"},
        "Other": {"Type": "Custom::Thing"},
    }
    ids = {
        "Role": "start",
        "Plain": "plain",
        "Odd": "odd",
        "Queue": "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/dead",
        "Topic": "arn:aws-cn:sns:cn-north-1:111122223333:alerts",
        "Rule": "bus|launch",
        "Other": "thing",
    }
    found = dict(attributes(resources, ids, PLACE))
    assert found == {
        "Role.Arn": "arn:aws-cn:iam::111122223333:role/team/start",
        "Plain.Arn": "arn:aws-cn:iam::111122223333:role/plain",
        "Queue.Arn": "arn:aws-cn:sqs:cn-north-1:111122223333:dead",
        "Queue.QueueName": "dead",
        "Queue.QueueUrl": ids["Queue"],
        "Topic.TopicArn": ids["Topic"],
        "Topic.TopicName": "alerts",
        "Rule.Arn": "arn:aws-cn:events:cn-north-1:111122223333:rule/bus/launch",
    }
