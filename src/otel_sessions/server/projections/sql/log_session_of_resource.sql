if({has_resource:UInt8} AND match(ResourceAttributes['session.id'], '^[ -~]{1,200}$') AND ResourceAttributeTypes['session.id'] = '', ResourceAttributes['session.id'], '')
